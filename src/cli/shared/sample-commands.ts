import {join} from 'node:path';

/** The files that `certs` makes and `serve` reads. */
export const fileNames = {
	ca: 'ca.crt',
	caKey: 'ca.key',
	server: 'server.crt',
	serverKey: 'server.key',
	client: 'client.crt',
	clientKey: 'client.key',
} as const;

/** The port of `serve` without `--port`. */
export const defaultPort = 8443;

/** Commands that send a request to `origin` with the files of `dir`. */
export function commandsToTry(dir: string, origin: string): string[] {
	const cert = quote(join(dir, fileNames.client));
	const key = quote(join(dir, fileNames.clientKey));
	const ca = quote(join(dir, fileNames.ca));
	return [
		`axios-mtls get ${origin}/whoami --cert ${cert} --key ${key} --ca ${ca}`,
		`curl ${origin}/whoami --cert ${cert} --key ${key} --cacert ${ca}`,
	];
}

/** A login with curl, which follows the redirect and sends the cookie of the response. */
export function loginToTry(dir: string, origin: string): string {
	const [cert, key, ca] = [fileNames.client, fileNames.clientKey, fileNames.ca].map((name) =>
		quote(join(dir, name)),
	);
	return (
		`curl ${origin}/login --cert ${cert} --key ${key} --cacert ${ca} ` +
		`--location --cookie '' --data 'user=${login.user}&password=${login.password}'`
	);
}

/** The one user of the servers of `serve` and `demo`. */
export const login = {user: 'alice', password: 'wonderland'} as const;

/** One word for a POSIX shell. */
export function quote(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
