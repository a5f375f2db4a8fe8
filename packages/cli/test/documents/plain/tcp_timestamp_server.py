"""Sends back what each recv brings, behind the time; one client after the other."""
import socket
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(5)
print('ready', server.getsockname()[1], flush=True)
while True:
    client, address = server.accept()
    print('...connected from:', address, flush=True)
    while True:
        data = client.recv(1024)
        if not data:
            break
        client.send(b'[%s] %s' % (time.ctime().encode(), data))
    client.close()
