import {foldCommand} from './shared/wrap.ts';

/**
 * A text of the help, with its commands as the reader can run them.
 *
 * @param program - That of `Io`.
 */
export function forProgram(text: string, program: string): string {
	return text
		.split('\n')
		.flatMap((line) => {
			const command = /^ {2}axios-mtls (.*)$/.exec(line)?.[1];
			return command === undefined ? [line] : foldCommand(`${program} ${command}`);
		})
		.join('\n');
}

/** Printed by `axios-mtls` and `axios-mtls --help`, above the list of commands. */
export const rootExamples = `axios-mtls: HTTPS with a client certificate, from the shell.

  # Run all of it at once, without files and without a network.
  axios-mtls demo

  # Make a CA, a server and a client certificate, and run a server that
  # requires one.
  axios-mtls certs pki
  axios-mtls serve pki

  # Send it a request, in another terminal.
  axios-mtls get https://localhost:8443/whoami --cert pki/client.crt --key pki/client.key --ca pki/ca.crt

  # Which certificate does a server ask for and present? Which files fit?
  axios-mtls check https://localhost:8443/ --ca pki/ca.crt
  axios-mtls inspect pki/client.crt --key pki/client.key

  # get by position: host port key_file cert_file ca_file, as
  # GET https://host:port/
  axios-mtls localhost 8443 pki/client.key pki/client.crt pki/ca.crt
`;

export const getExamples = `Requests a URL with a client certificate; prints the status, then the body.

  # With a CA of its own and an encrypted key.
  axios-mtls get https://api.bank.example/accounts --cert client.crt --key client.key --ca ca.crt --passphrase-file secret.txt

  # With a PKCS#12 file.
  axios-mtls get https://api.bank.example/ --pfx client.p12 --passphrase-file secret.txt

  # Stay logged in: the file keeps the cookies between runs.
  axios-mtls get https://api.bank.example/start -L --jar session.json
  axios-mtls get https://api.bank.example/accounts --jar session.json

  # Through a proxy, in at most ten seconds.
  axios-mtls get https://api.bank.example/ --proxy http://proxy.corp:3128 --timeout 10

  # Through a SOCKS proxy that looks the name up, as ssh -D 1080 does.
  axios-mtls get https://api.bank.example/ --proxy socks5h://localhost:1080

  # A private CA beside those that Node trusts.
  axios-mtls get https://intranet.example/ --ca default --ca corp.pem
`;

export const checkExamples = `Makes a handshake and reports each step: the connection, the protocol, the
chain and its verification, whether the server asks for our certificate and
accepts it.

  # What does this server present, and does it ask for a certificate?
  axios-mtls check https://api.bank.example/ --ca ca.crt

  # Is our certificate accepted, and whose would be? Sends one request with it
  # and one without, and reads the names of the CAs that the server accepts.
  axios-mtls check https://api.bank.example/ --cert client.crt --key client.key --ca ca.crt
  axios-mtls check https://api.bank.example/ --pfx client.p12 --passphrase-file secret.txt

  # Does the server have the key that its operator named?
  axios-mtls check https://api.bank.example/ --pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

  # For a script, and for a colleague.
  axios-mtls check https://api.bank.example/ --json | jq .exitCode
  axios-mtls check https://api.bank.example/ --html report.html

It takes every flag of get, so that "get" in a command that fails can be
replaced with "check". It follows no redirect and keeps no cookie: flags with
"(get)" have no effect.
`;

export const jsonHelp = `
With --json, one object; nothing in it is secret:
  format            1; raised when a field changes its meaning
  url checkedAt     what was requested (without its query) and when
  exitCode summary  the outcome, for machines and for people
  steps             [{id, title, state, text}], state is good, bad, doubtful
                    or open
  tls               {protocol, cipher}, or null
  chain             leaf first: [{role, subject, issuer, altNames, validFrom,
                    validTo, validity, daysLeft, pinned, pin, fingerprint256,
                    caIssuers}]
  missingIssuer     issuer of the last of the chain, when the server did not
                    send it
  clientCertificate {requested, required, accepted, acceptedIssuers, ours};
                    null where it could not be seen; acceptedIssuers are the
                    names of the CAs that the server asks for
  http              {status, statusText, location}, or null
  cookies           [{name, attributes}], never a value
  failure           {kind, side, certain, message, reasons, hint}, or null;
                    kind is http-refusal for a status of 401 or 403
  next              commands to try`;

export const inspectExamples = `Prints what is in a file, and what is wrong with it; never key material.

  # Do they fit?
  axios-mtls inspect client.crt --key client.key
  axios-mtls inspect client.p12 --passphrase-file secret.txt

  # The pins of a bundle, for --pin and curl.
  axios-mtls inspect ca-bundle.pem
`;

export const certsExamples = `Makes ca.crt ca.key server.crt server.key client.crt client.key to start with.

  axios-mtls certs pki

  # Overwrites existing files.
  axios-mtls certs pki --force
`;

export const serveExamples = `Runs a server that requires a client certificate, until Ctrl-C.

  # At https://localhost:8443, with a login of alice / wonderland.
  axios-mtls certs pki
  axios-mtls serve pki

  # At any free port.
  axios-mtls serve pki --port 0
`;

export const demoExamples = `Runs a login over mutual TLS, a client without a certificate that is refused,
and an impostor that is refused, with two servers in this process.

  axios-mtls demo
`;

type CommandName = 'get' | 'check' | 'inspect' | 'certs' | 'serve' | 'demo';

/** What an exit code means, for one command or for all of them. */
interface ExitCodeHelp {
	readonly code: number;
	/** Those that end with it; without it all. */
	readonly of?: readonly CommandName[];
	/** Lines of a fixed width. @defaultValue that of the program */
	readonly meaning: readonly string[];
	/** In the help of a command, where it says more or less. */
	readonly inCommand?: Readonly<Partial<Record<CommandName, readonly string[]>>>;
}

const exitCodeHelp: readonly ExitCodeHelp[] = [
	{
		code: 0,
		meaning: ['answered, whatever the HTTP status; check: except 401, 403'],
		inCommand: {
			get: ['answered, whatever the HTTP status'],
			check: ['answered, with any status but 401 and 403'],
			inspect: ['all of it can be read and fits'],
			certs: ['the files were written'],
			serve: ['it ran, and was stopped'],
			demo: ['each step succeeded'],
		},
	},
	{
		code: 1,
		of: ['get', 'check', 'inspect'],
		meaning: ['the server could not be verified; nothing of the request was sent'],
		inCommand: {
			inspect: [
				'something has expired or is not valid yet, the key does not fit, or',
				'its certificate is not for clients',
			],
		},
	},
	{
		code: 2,
		of: ['get', 'check'],
		meaning: [
			'the server refused us: no certificate, or not one that it accepts;',
			'check: also by a status of 401 or 403',
		],
		inCommand: {
			get: ['the server refused us: no certificate, or not one that it accepts'],
			check: [
				'the server refused us: no certificate, or not one that it accepts;',
				'also by a status of 401 or 403',
			],
		},
	},
	{
		code: 3,
		of: ['get', 'check'],
		meaning: ['no connection: refused, unknown host, timeout, proxy, not TLS, reset'],
	},
	{
		code: 4,
		of: ['get'],
		meaning: ['a redirect was not followed: from https to http, or too many'],
	},
	{
		code: 64,
		meaning: ['the arguments, or the files they name, cannot be used'],
		inCommand: {demo: ['the arguments cannot be used']},
	},
	{
		code: 69,
		of: ['certs', 'serve', 'demo'],
		meaning: ['certs, serve and demo: the optional dependencies are not installed'],
		inCommand: {
			certs: ['the optional dependencies are not installed'],
			serve: ['the optional dependencies are not installed'],
			demo: ['the optional dependencies are not installed'],
		},
	},
	{
		code: 70,
		meaning: ['a defect of axios-mtls, or output that cannot be written'],
		inCommand: {demo: ['a step failed, or output could not be written']},
	},
];

/** The exit codes of a command; without one, those of the program. */
export function exitCodesHelp(command?: CommandName): string {
	const lines = exitCodeHelp
		.filter(({of}) => command === undefined || (of?.includes(command) ?? true))
		.flatMap(({code, meaning, inCommand}) => {
			const text = (command && inCommand?.[command]) ?? meaning;
			return text.map((line, index) => `  ${index === 0 ? String(code).padEnd(2) : '  '}  ${line}`);
		});
	return ['', 'Exit codes:', ...lines].join('\n');
}

/** What a command reads from the environment; without one, what the program does. */
export function environmentHelp(command?: CommandName): string {
	const passphrase = `  AXIOS_MTLS_PASSPHRASE    opens the key or the PKCS#12 where
                           --passphrase-file is not given`;
	const proxies = `  HTTPS_PROXY, HTTP_PROXY  as elsewhere; --proxy comes first
  ALL_PROXY, NO_PROXY`;
	const all = `  AXIOS_MTLS_DEBUG=1       stack traces of failures
  NO_COLOR=1               no colours`;
	const sends = command === undefined || command === 'get' || command === 'check';
	return [
		'',
		'Environment:',
		...(sends || command === 'inspect' ? [passphrase] : []),
		...(sends ? [proxies] : []),
		all,
	].join('\n');
}
