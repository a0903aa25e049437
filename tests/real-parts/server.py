"""A moto server on a free port of the loopback interface.

Prints the port, and lives until its standard input is closed: when the test that started it
ends, in whatever way, the system closes the pipe, and no server is left behind.
"""

import os
import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
# Not `stop()`: it waits for requests that nobody waits for any more.
os._exit(0)
