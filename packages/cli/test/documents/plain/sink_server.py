"""Prints what one recv brings from one client, and ends."""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
server.listen(1)
print('ready', server.getsockname()[1], flush=True)
client, address = server.accept()
data = client.recv(1024)
print('Received: ', data.decode(), flush=True)
client.close()
