import {randomBytes, X509Certificate} from 'node:crypto';
import {existsSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {createTestPki} from '../testing/index.ts';
import type {CertsArguments} from './commands.ts';
import {type ExitCode, exitCodes, UsageError} from './shared/exit-codes.ts';
import {fileErrorCode, privateMode, replaceFile, writeNew} from './shared/files.ts';
import {day, shortName} from './shared/format-certificate.ts';
import {type Io, print, printable, printCommand} from './shared/io.ts';
import {startProgress} from './shared/progress.ts';
import {
	commandLine,
	commandsToTry,
	defaultPort,
	fileNames,
	quote,
} from './shared/sample-commands.ts';
import {lineWidth, wrap} from './shared/wrap.ts';

const publicMode = 0o644;

interface NewFile {
	readonly name: string;
	readonly content: string;
	readonly mode: number;
	readonly about: string;
}

/** Makes a CA, a server and a client certificate; overwrites files only with `--force`. */
export async function certs({dir, force}: CertsArguments, io: Io): Promise<ExitCode> {
	if (!force) assertNoneExists(dir);
	const progress = startProgress(io, 'making keys and certificates');
	const files = await makeFiles().finally(() => progress.stop());
	writeFiles(dir, files, force === true);

	printPath(io, 'Made in', dir);
	print(io);
	for (const {name, about} of files) {
		for (const line of hangingField(name, about)) print(io, line);
	}
	print(io);
	print(io, 'Next, a server that requires such a client certificate:');
	print(io);
	printCommand(io, commandLine(io, ['serve', dir]));
	print(io);
	print(io, 'and in another terminal:');
	print(io);
	for (const command of commandsToTry(io, dir, `https://localhost:${defaultPort}`)) {
		printCommand(io, command);
	}
	return exitCodes.answered;
}

// A path is not broken: it may be copied.
function printPath(io: Io, before: string, path: string): void {
	const line = `${before} ${printable(path)}:`;
	const lines = line.length <= lineWidth ? [line] : [before, `  ${printable(quote(path))}:`];
	for (const each of lines) print(io, each);
}

function hangingField(name: string, about: string): string[] {
	const [first = '', ...others] = wrap(about, {indent: 14});
	return [`  ${name.padEnd(12)}${first}`, ...others];
}

function assertNoneExists(dir: string): void {
	const existing = Object.values(fileNames).filter((name) => existsSync(join(dir, name)));
	if (existing.length === 0) return;
	throw new UsageError(
		`certs ${dir}`,
		`${existing.join(', ')} ${existing.length === 1 ? 'exists' : 'exist'} already`,
		'--force overwrites; what the old CA has signed is then no longer trusted',
	);
}

async function makeFiles(): Promise<NewFile[]> {
	// A unique name: with two CAs of one name, a wrong file looks like a broken signature.
	const commonName = `axios-mtls CA ${randomBytes(3).toString('hex')}`;
	const pki = await createTestPki({commonName});
	const [server, client] = await Promise.all([pki.server(), pki.client()]);
	return [
		certificate(fileNames.ca, pki.ca, 'the CA; trust it with --ca'),
		key(fileNames.caKey, pki.key, 'signs more certificates; keep it private'),
		certificate(fileNames.server, server.cert, 'of the server'),
		key(fileNames.serverKey, server.key, 'its key'),
		certificate(fileNames.client, client.cert, 'of the client'),
		key(fileNames.clientKey, client.key, 'its key'),
	];
}

function certificate(name: string, content: string, role: string): NewFile {
	const {subject, subjectAltName, validToDate} = new X509Certificate(content);
	const names = subjectAltName?.split(', ').map(shortName).join(', ') ?? subject;
	const until = day(validToDate.toISOString());
	return {name, content, mode: publicMode, about: `${role}: ${names}; valid until ${until}`};
}

function key(name: string, content: string, about: string): NewFile {
	return {name, content, mode: privateMode, about: `${about}; readable by its owner only`};
}

function writeFiles(dir: string, files: readonly NewFile[], force: boolean): void {
	const write = force ? replaceFile : writeNew;
	try {
		mkdirSync(dir, {recursive: true});
		for (const {name, content, mode} of files) write(join(dir, name), content, mode);
	} catch (error) {
		throw new UsageError(`certs ${dir}`, `cannot write there: ${fileErrorCode(error)}`);
	}
}
