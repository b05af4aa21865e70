import type {KeyObject} from 'node:crypto';
import {statSync} from 'node:fs';
import pc from 'picocolors';
import type {InspectArguments} from '../commands.ts';
import {findPassphrase} from '../shared/client-options.ts';
import {type ExitCode, exitCodes, UsageError} from '../shared/exit-codes.ts';
import {day, fromNow, listNames} from '../shared/format-certificate.ts';
import {type Io, print, printable} from '../shared/io.ts';
import {
	type Described,
	describeCertificate,
	describeIdentity,
	describeKey,
	type Finding,
	findFaults,
	pinOf,
} from './findings.ts';
import {type Contents, readContents} from './read-file.ts';

/**
 * Says what is in a file, whether key and certificate fit, and what is wrong with it.
 *
 * @returns 0 when all of it can be read and fits, 1 when something has expired or the key does not fit.
 */
export async function inspect(options: InspectArguments, io: Io): Promise<ExitCode> {
	const {file, key} = options;
	const passphrase = findPassphrase(options, io);
	const contents = readContents(file, passphrase, `inspect ${file}`);
	const other = key === undefined ? undefined : readContents(key, passphrase, '--key');
	if (other !== undefined && other.keys.length === 0) {
		throw new UsageError('--key', `expected a private key, found ${other.labels.join(', ')}`);
	}
	if (other !== undefined && contents.certificates.length === 0) {
		const why = contents.identity
			? 'a PKCS#12 brings its key with it'
			: 'there is no certificate that it could fit';
		throw new UsageError('--key', why);
	}
	const now = new Date();
	const keys = [...contents.keys, ...(other?.keys ?? [])];
	const findings = [
		...findFaults(contents, keys, now),
		...[file, ...(key === undefined ? [] : [key])].flatMap((path) =>
			exposure(path, path === file ? contents : other),
		),
	];
	for (const line of renderInspection(file, contents, keys, findings, now, io.colors))
		print(io, line);
	return findings.some(({state}) => state === 'bad') ? exitCodes.unverified : exitCodes.answered;
}

// As ssh judges it. Windows has other means, and its mode tells nothing.
function exposure(path: string, contents: Contents | undefined): Finding[] {
	const secret = (contents?.keys.length ?? 0) > 0 || contents?.identity !== undefined;
	if (!secret || process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return [];
	return [{state: 'doubtful', text: `'${path}' holds a key and others can read it: chmod 600`}];
}

/** The answer of `inspect`, line by line. */
function renderInspection(
	file: string,
	{format, labels, certificates, identity, keys: own}: Contents,
	keys: readonly KeyObject[],
	findings: readonly Finding[],
	now: Date,
	colors: boolean,
): string[] {
	const paint = pc.createColors(colors);
	const described = [
		...certificates.map(describeCertificate),
		...(identity ? [describeIdentity(identity)] : []),
	];
	const fits = (key: KeyObject) => certificates.find((it) => it.checkPrivateKey(key));
	const keyLines = keys.flatMap((key) => {
		const fitting = fits(key);
		return [
			'',
			paint.bold(own.includes(key) ? 'private key' : 'private key of --key'),
			...field('key', describeKey(key)),
			...field('pin', pinOf(key)),
			...(fitting ? field('fits', describeCertificate(fitting).subject) : []),
		];
	});
	const faults = findings.map(({state, text}) => {
		const mark = state === 'bad' ? paint.red('✗') : paint.yellow('!');
		return `  ${mark} ${printable(text)}`;
	});
	return [
		`${paint.bold(printable(file))}: ${format}, ${printable(countLabels(labels))}`,
		...described.flatMap((it) => [
			'',
			paint.bold(it.isCa ? 'CA certificate' : 'certificate'),
			...certificateLines(it, now),
		]),
		...keyLines,
		...(identity ? ['', `  ${paint.green('✓')} certificate and key fit`] : []),
		'',
		...(faults.length > 0 ? faults : [`  ${paint.green('✓')} nothing is wrong with it`]),
	];
}

function certificateLines(it: Described, now: Date): string[] {
	const {validFrom, validTo} = it;
	const past = Date.parse(validTo) < now.getTime();
	return [
		...field('subject', it.subject || '(empty)'),
		...field('issuer', it.subject === it.issuer ? 'itself' : it.issuer),
		...field('names', listNames(it.altNames, 20)),
		...field(
			'valid',
			`${day(validFrom)} to ${day(validTo)} (${past ? 'ended' : 'ends'} ${fromNow(validTo, now)})`,
		),
		...(it.key === null ? [] : field('key', it.key)),
		...field('pin', it.pin || 'none'),
		...field('SHA-256', it.fingerprint256),
		...(it.purposes === null
			? []
			: field('purposes', it.purposes.join(', ') || 'any (none named)')),
	];
}

function field(name: string, text: string): string[] {
	return [`  ${name.padEnd(10)}${printable(text)}`];
}

// `3 CERTIFICATE, PRIVATE KEY`: a bundle has a hundred and forty.
function countLabels(labels: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
	return Array.from(counts, ([label, count]) => (count === 1 ? label : `${count} ${label}`)).join(
		', ',
	);
}
