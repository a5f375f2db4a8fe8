"""The same words with the bench as control.ts."""

import os
import sys
import threading
import time


def under_control(port):
    def answer():
        for _ in sys.stdin:
            print(round(time.process_time() * 1e6), flush=True)
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()
    print(port, flush=True)
