import {createPublicKey, type X509Certificate} from 'node:crypto';
import pc from 'picocolors';
import {MtlsConfigError} from '../../index.ts';
import {certificateFacts, pinOf} from '../../tls/credentials/certificate-facts.ts';
import {chainOf} from '../../tls/credentials/chain.ts';
import {
	chooseIdentity,
	exportIdentity,
	findIdentities,
	type Keystore,
	onePerKey,
	type StoredIdentity,
} from '../../tls/credentials/keystore.ts';
import {createContext} from '../../tls/tls-options.ts';
import {exposedMode} from '../../util/file-permissions.ts';
import type {InspectArguments} from '../commands.ts';
import {findPassphrase} from '../shared/client-options.ts';
import {type ExitCode, exitCodes, UsageError} from '../shared/exit-codes.ts';
import {flagOf} from '../shared/flags.ts';
import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import {type Io, print, printable} from '../shared/io.ts';
import {inFlags, messageOf} from '../shared/report-error.ts';
import {quote} from '../shared/sample-commands.ts';
import {lineWidth, paragraph, wrap} from '../shared/wrap.ts';
import {
	type CertificateDescription,
	describeCertificate,
	describeKey,
	type Finding,
	findFaults,
} from './findings.ts';
import {type Contents, readContents} from './read-file.ts';

/**
 * Prints what is in a file, whether key and certificate fit, and what is wrong with it.
 *
 * @returns 0 when all of it can be read and fits, 1 when something has expired, the key does not fit
 * or the certificate of a key is not for clients.
 */
export async function inspect(options: InspectArguments, io: Io): Promise<ExitCode> {
	const {file, key} = options;
	const passphrase = findPassphrase(options, io);
	const contents = readContents(file, passphrase, `inspect ${file}`);
	const keyFile = key === undefined ? undefined : readContents(key, passphrase, '--key');
	if (keyFile !== undefined) assertUseful(keyFile, contents);
	const now = new Date();
	const {certificates} = contents;
	// As of `mtls.cert`, of which no key is used when `mtls.key` is given.
	const keystore = {certificates, keys: keyFile?.keys ?? contents.keys};
	const findings = [
		...findFaults(keystore, now),
		...refusals(keystore, file, contents.format === 'PKCS#12' ? 'mtls.pfx' : 'mtls.cert'),
		...missingKey(contents),
		...exposure(file, contents),
		...(key === undefined || keyFile === undefined ? [] : exposure(key, keyFile)),
	];
	const inspection = {file, contents, keyFile, keystore, findings, now};
	for (const line of renderInspection(inspection, io.colors)) print(io, line);
	return findings.some(({state}) => state === 'bad') ? exitCodes.unverified : exitCodes.answered;
}

/** @throws {UsageError} when `--key` holds no key, or there is nothing that it could fit. */
function assertUseful(keyFile: Contents, {format, certificates}: Contents): void {
	if (keyFile.keys.length === 0) {
		throw new UsageError('--key', `expected a private key, found ${keyFile.labels.join(', ')}`);
	}
	if (format === 'PKCS#12') throw new UsageError('--key', 'a PKCS#12 brings its key with it');
	if (certificates.length === 0) {
		throw new UsageError('--key', 'there is no certificate that it could fit');
	}
}

/** Why no client can be made of it, where {@link findFaults} does not know the reason. */
function refusals(keystore: Keystore, file: string, option: string): Finding[] {
	const now = new Date();
	const identities = onePerKey(findIdentities(keystore, now));
	const usable = identities.filter(({faults}) => faults.length === 0);
	if (identities.length === 0) return [];
	try {
		const choice = {alias: undefined, allowed: ['allowExpired', 'allowAnyPurpose'] as const};
		const {key, leaf} = chooseIdentity(
			usable.length > 0 ? usable : identities.slice(0, 1),
			choice,
			{where: `'${file}'`, certFrom: `'${file}'`, option},
		);
		const all = keystore.certificates.map(({certificate}) => certificate);
		createContext({...exportIdentity(key, chainOf(leaf, all)), ca: []}, option);
		return [];
	} catch (error) {
		if (!(error instanceof MtlsConfigError)) throw error;
		return [{state: 'bad', text: inFlags(messageOf(error))}];
	}
}

function missingKey({format, keys}: Contents): Finding[] {
	if (format !== 'PKCS#12' || keys.length > 0) return [];
	return [{state: 'doubtful', text: 'it holds no private key, so `--pfx` refuses it'}];
}

function exposure(path: string, {keys}: Contents): Finding[] {
	if (keys.length === 0 || exposedMode(path) === undefined) return [];
	return [{state: 'doubtful', text: `'${path}' holds a key and others can read it: chmod 600`}];
}

interface Inspection {
	readonly file: string;
	readonly contents: Contents;
	/** The file of `--key`. */
	readonly keyFile: Contents | undefined;
	readonly keystore: Keystore;
	readonly findings: readonly Finding[];
	readonly now: Date;
}

function renderInspection(inspection: Inspection, colors: boolean): string[] {
	const {file, contents, findings, now} = inspection;
	const {format, labels, certificates} = contents;
	const paint = pc.createColors(colors);
	const certificateLines = certificates.flatMap(({certificate, name}) => {
		const described = describeCertificate(certificate);
		return [
			'',
			paint.bold(described.isCa ? 'CA certificate' : 'certificate'),
			...aliasField(name),
			...certificateFields(described, now),
		];
	});
	const keyLines = describeKeys(inspection).flatMap(([title, ...fields]) => [
		'',
		paint.bold(title ?? ''),
		...fields,
	]);
	const findingLines = findings.flatMap(({state, text}) => {
		const mark = state === 'bad' ? paint.red('✗') : paint.yellow('!');
		const [first = '', ...others] = wrap(printable(text), {indent: 4});
		return [`  ${mark} ${first}`, ...others];
	});
	return [
		...titleLines(file, `${format}, ${countLabels(labels)}`, paint.bold),
		...certificateLines,
		...keyLines,
		'',
		...(findingLines.length > 0
			? findingLines
			: [`  ${paint.green('✓')} nothing is wrong with it`]),
	];
}

/** A title and its fields for each key. */
function describeKeys({contents, keyFile, keystore, now}: Inspection): string[][] {
	const identities = onePerKey(findIdentities(keystore, now));
	const usable = identities.filter(({faults}) => faults.length === 0);
	const all = keystore.certificates.map(({certificate}) => certificate);
	return [...new Set([...contents.keys, ...(keyFile?.keys ?? [])])].map(({key, name}) => {
		const isOfKeyFile = keyFile?.keys.some((each) => each.key === key);
		const identity = identities.find((each) => each.key.equals(key));
		return [
			isOfKeyFile ? 'private key of --key' : 'private key',
			...aliasField(name),
			...field('key', describeKey(key)),
			...field('pin', pinOf(createPublicKey(key))),
			...(identity === undefined
				? []
				: [
						...field('fits', certificateFacts(identity.leaf).subject),
						...field('chain', chainOf(identity.leaf, all).map(shortSubject).join(' → ')),
						...(identities.length > 1 ? field('used', describeUse(identity, usable)) : []),
					]),
		];
	});
}

function describeUse(
	{faults, leaf, names}: StoredIdentity,
	usable: readonly StoredIdentity[],
): string {
	const [fault] = faults;
	if (fault !== undefined) return `no: it ${fault.message}`;
	const alias = names[0] ?? leaf.fingerprint256;
	return usable.length === 1 ? 'yes' : `with ${flagOf('alias')} ${quote(alias)}`;
}

function shortSubject(certificate: X509Certificate): string {
	return commonName(certificateFacts(certificate).subject);
}

function aliasField(name: string | undefined): string[] {
	return name === undefined ? [] : field('alias', name);
}

function titleLines(file: string, what: string, bold: (text: string) => string): string[] {
	const [path, text] = [printable(file), printable(what)];
	const isShort = path.length + 2 + text.length <= lineWidth;
	return isShort ? [`${bold(path)}: ${text}`] : [`${bold(path)}:`, ...paragraph(text, {indent: 2})];
}

function certificateFields(certificate: CertificateDescription, now: Date): string[] {
	const {subject, issuer, altNames, validFrom, validTo, key, pin, fingerprint256, purposes} =
		certificate;
	const end = Date.parse(validTo) < now.getTime() ? 'ended' : 'ends';
	return [
		...field('subject', subject || '(empty)'),
		...field('issuer', subject === issuer ? 'itself' : issuer),
		...field('names', listNames(altNames, 20)),
		...field('valid', `${day(validFrom)} to ${day(validTo)} (${end} ${fromNow(validTo, now)})`),
		...field('key', key),
		...field('pin', pin || 'none'),
		...field('SHA-256', fingerprint256),
		...field('purposes', purposes.join(', ') || 'any (none named)'),
	];
}

function field(name: string, text: string): string[] {
	const [first = '', ...others] = wrap(printable(text), {indent: 12});
	// A fingerprint alone is wider than a line: it stands below its name.
	if (12 + first.length <= lineWidth) return [`  ${name.padEnd(10)}${first}`, ...others];
	return [`  ${name}`, `    ${first}`, ...others];
}

/** `3 CERTIFICATE, PRIVATE KEY`, `2 certificates, private key`: a bundle has a hundred and forty. */
function countLabels(labels: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
	return Array.from(counts, ([label, count]) => {
		if (count === 1) return label;
		return `${count} ${label}${/[a-z]$/.test(label) ? 's' : ''}`;
	}).join(', ');
}
