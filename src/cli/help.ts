/** Printed by `axios-mtls` and `axios-mtls --help`, above the list of commands. */
export const rootExamples = `axios-mtls: HTTPS with a client certificate, from the shell.

  # See all of it at once; needs no files and no network.
  axios-mtls demo

  # Make a CA, a server and a client certificate, and a server that insists on them.
  axios-mtls certs pki
  axios-mtls serve pki

  # Ask it, in another terminal.
  axios-mtls get https://localhost:8443/whoami \\
    --cert pki/client.crt --key pki/client.key --ca pki/ca.crt

  # The same by position: host port key_file cert_file ca_file, as GET https://host:port/
  axios-mtls localhost 8443 pki/client.key pki/client.crt pki/ca.crt
`;

export const getExamples = `Asks a URL with a client certificate; prints the status, then the body.

  # The CA in a private file, the key encrypted.
  axios-mtls get https://api.bank.example/accounts \\
    --cert client.crt --key client.key --ca ca.crt --passphrase-file secret.txt

  # Keep the session: cookies live in the file between runs.
  axios-mtls get https://api.bank.example/start -L --jar session.json
  axios-mtls get https://api.bank.example/accounts --jar session.json

  # Through a proxy, ten seconds at the most.
  axios-mtls get https://api.bank.example/ --proxy http://proxy.corp:3128 --timeout 10

  # A private CA on top of those that Node trusts.
  axios-mtls get https://intranet.example/ --ca default --ca corp.pem
`;

export const certsExamples = `Makes ca.crt ca.key server.crt server.key client.crt client.key to start with.

  axios-mtls certs pki
  axios-mtls certs pki --force    # in place of those that are there
`;

export const serveExamples = `Runs a server that insists on a client certificate, until Ctrl-C.

  axios-mtls certs pki
  axios-mtls serve pki               # https://localhost:8443, login alice / wonderland
  axios-mtls serve pki --port 0      # any free port
`;

export const demoExamples = `Shows a login over mutual TLS, a refused stranger and a refused impostor, for real,
between two servers in this process. Exits with 0 only when each step went as it says.

  axios-mtls demo
`;

export const exitCodesHelp = `
Exit codes:
  0   answered, whatever the HTTP status
  1   the server could not be verified; nothing was sent to it
  2   the server refused us: no certificate, or not one that it accepts
  3   no connection: refused, unknown host, timeout, proxy, not TLS, reset
  64  the arguments, or the files they name, cannot be used
  70  a defect of axios-mtls, or output that cannot be written`;

export const environmentHelp = `
Environment:
  AXIOS_MTLS_PASSPHRASE                of the key, where --passphrase-file is not given
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY    as everywhere; --proxy wins
  AXIOS_MTLS_DEBUG=1                   stack traces of failures
  NO_COLOR=1                           no colours`;
