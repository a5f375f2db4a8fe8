"""Answers each datagram with the time and what it held."""
import socket
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', int(sys.argv[1])))
print('ready', server.getsockname()[1], flush=True)
while True:
    data, address = server.recvfrom(1024)
    server.sendto(b'[%s] %s' % (time.ctime().encode(), data), address)
    print('...received from and returned to:', address, flush=True)
