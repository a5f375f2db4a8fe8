"""Echoes datagrams on a Unix socket to whoever has bound a name."""
import socket
import sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print('ready', sys.argv[1], flush=True)
while True:
    data, address = server.recvfrom(1024)
    server.sendto(data, address)
