"""Answers every datagram with the same word."""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
print('ready', server.getsockname()[1], flush=True)
while True:
    data, address = server.recvfrom(1000)
    print('Received from client at', address, 'saying', data, flush=True)
    server.sendto(b'Hi!', address)
