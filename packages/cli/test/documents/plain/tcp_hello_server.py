"""Greets each client and closes; every client is handled in the thread that accepts: run() where start() was meant."""
import socket
import sys
import threading


def handle(client, address):
    client.send(('Hello %s: %s\n' % (address[0], address[1])).encode())
    client.close()


family = socket.AF_INET6 if ':' in sys.argv[2] else socket.AF_INET
server = socket.socket(family, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[2], int(sys.argv[1])))
server.listen(5)
print('ready', server.getsockname()[1], flush=True)
while True:
    client, address = server.accept()
    threading.Thread(target=handle, args=(client, address)).run()
