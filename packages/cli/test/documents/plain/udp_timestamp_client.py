"""Sends each line of its input as a datagram and waits, without end, for one in answer."""
import socket
import sys

address = (sys.argv[1], int(sys.argv[2]))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    data = sys.stdin.readline().rstrip('\n')
    if not data:
        break
    client.sendto(data.encode(), address)
    data, address = client.recvfrom(1024)
    if not data:
        break
    print(data.decode(), flush=True)
client.close()
