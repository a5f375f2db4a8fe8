"""Greets on a Unix socket, and leaves its file behind when it ends."""
import socket
import sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(sys.argv[1])
server.listen(5)
print('ready', sys.argv[1], flush=True)
while True:
    client, address = server.accept()
    client.send(b'Hello ')
    client.close()
