"""Sends the time, once, to whoever connects."""
import socket
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(5)
print('ready', server.getsockname()[1], flush=True)
while True:
    client, address = server.accept()
    print('Got a connection from %s' % str(address), flush=True)
    client.send((time.ctime(time.time()) + '\r\n').encode('ascii'))
    client.close()
