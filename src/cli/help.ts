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

  # What does a server want, and what does it show? Which files fit together?
  axios-mtls check https://localhost:8443/ --ca pki/ca.crt
  axios-mtls inspect pki/client.crt --key pki/client.key

  # get by position: host port key_file cert_file ca_file, as GET https://host:port/
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

export const checkExamples = `Does the handshake step by step and says what there is to see: the way there, the
protocol, the chain, the verdicts, whether our certificate is asked for and accepted.

  # What does this server show, and does it ask for a certificate?
  axios-mtls check https://api.bank.example/ --ca ca.crt

  # Is ours accepted? Asks twice: with it, and without.
  axios-mtls check https://api.bank.example/ --cert client.crt --key client.key --ca ca.crt
  axios-mtls check https://api.bank.example/ --pfx client.p12 --passphrase-file secret.txt

  # Is it the very key that we were told of?
  axios-mtls check https://api.bank.example/ \\
    --pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

  # For a script, and for a colleague.
  axios-mtls check https://api.bank.example/ --json | jq .exitCode
  axios-mtls check https://api.bank.example/ --html report.html
`;

export const jsonHelp = `
With --json, one object; nothing in it is secret:
  format            1; raised when a field changes its meaning
  url checkedAt     what was asked for (without its query) and when
  exitCode summary  the outcome, for machines and for people
  steps             [{id, title, state, text}], state is good, bad, doubtful or open
  tls               {protocol, cipher}, or null
  chain             leaf first: [{role, subject, issuer, altNames, validFrom, validTo, validity,
                    daysLeft, pinned, pin, fingerprint256, caIssuers}]
  missingIssuer     who signed the last of the chain, when the server did not send it
  clientCertificate {requested, required, accepted, ours}; null where it could not be seen
  http              {status, statusText, location}, or null
  cookies           [{name, attributes}], never a value
  failure           {kind, side, certain, message, reasons, hint}, or null
  next              commands to try`;

export const inspectExamples = `Prints what is in a file, and what is wrong with it; never key material.

  axios-mtls inspect client.crt --key client.key      # do they fit?
  axios-mtls inspect client.p12 --passphrase-file secret.txt
  axios-mtls inspect ca-bundle.pem                    # its pins, for --pin and curl

Exits with 0 when all of it can be read and fits, with 1 when something in it has expired
(or is not valid yet), the key does not fit or its certificate is not for clients, with 64
when it cannot be read.
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
