"""tls.py DIR makes the certificates of a RabbitMQ that speaks TLS, and its settings, before scripts/services starts it in DIR."""
import os
import subprocess
import sys

SERVER_TLS = """\
listeners.ssl.1 = 127.0.0.1:@TLS_PORT@
ssl_options.cacertfile = {dir}/tls/ca.pem
ssl_options.certfile = {dir}/tls/server.pem
ssl_options.keyfile = {dir}/tls/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


def certificates(folder):
    tls = os.path.join(folder, "tls")
    os.mkdir(tls)

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=tls, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    for ca in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={ca}",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    with open(os.path.join(tls, "san"), "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "san", "-out", f"{name}.pem")
    for name in os.listdir(tls):
        os.chmod(os.path.join(tls, name), 0o644)
    with open(os.path.join(folder, "rabbitmq.conf"), "w") as f:
        f.write(SERVER_TLS.format(dir=folder))


certificates(sys.argv[1])
