"""Sends each line of its input as a command without a line end, takes one recv for the output; BYE ends it."""
import socket
import sys

client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin:
    command = line.rstrip('\n')
    client.send(command.encode())
    if command == 'BYE':
        break
    data = client.recv(4096)
    print(data.decode(), flush=True)
print('closed by the server:', client.recv(4096) == b'')
client.close()
