"""Sends one datagram and prints the one that comes back."""
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(b'Hello World', (sys.argv[1], int(sys.argv[2])))
data, address = client.recvfrom(1000)
print('Received', data.decode(), 'from server at', address[1])
