"""A witness that lies: every question is answered 200 with a line of the right name and key id and a made-up signature.
liar.py PORT NAME VKEY"""
import base64, http.server, sys

port, name, vkey = int(sys.argv[1]), sys.argv[2], sys.argv[3]
blob = bytes.fromhex(vkey.split("+")[1]) + (1700000000).to_bytes(8, "big") + bytes(64)
line = f"\u2014 {name} {base64.b64encode(blob).decode()}\n".encode()


class Liar(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(line)))
        self.end_headers()
        self.wfile.write(line)

    def log_message(self, *args):
        pass


http.server.HTTPServer(("127.0.0.1", port), Liar).serve_forever()
