import {createPrivateKey, type KeyObject, X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {type CertificateFacts, MtlsAgent, MtlsConfigError} from '../../index.ts';
import {UsageError} from '../shared/exit-codes.ts';
import {fileErrorCode} from '../shared/files.ts';

/** What a file holds, block by block. */
export interface Contents {
	readonly format: 'PEM' | 'DER' | 'PKCS#12';
	/** Labels of the PEM blocks, in order; one word for the other formats. */
	readonly labels: readonly string[];
	readonly certificates: readonly X509Certificate[];
	readonly keys: readonly KeyObject[];
	/** The identity of a PKCS#12, whose certificate and key were seen to fit. */
	readonly identity: CertificateFacts | undefined;
}

/**
 * Reads a file of any of the formats that people are handed.
 *
 * @param what - For messages: `inspect client.crt`, `--key`.
 * @throws {UsageError} when it cannot be read. Security: no message quotes the file.
 */
export function readContents(path: string, passphrase: string | undefined, what: string): Contents {
	const bytes = readBytes(path, what);
	const blocks = pemBlocks(bytes.toString('latin1'));
	if (blocks.length > 0) return readPem(blocks, passphrase, what);
	const der = readDer(bytes, passphrase);
	if (der !== undefined) return der;
	// A SEQUENCE: all of DER begins with one, PKCS#12 too.
	if (bytes[0] === 0x30) return readPkcs12(bytes, passphrase, what);
	throw new UsageError(
		what,
		`${bytes.length} bytes that are neither PEM, DER nor PKCS#12`,
		'a PEM file has lines such as -----BEGIN CERTIFICATE-----',
	);
}

function readBytes(path: string, what: string): Buffer {
	try {
		return readFileSync(path);
	} catch (error) {
		const code = fileErrorCode(error);
		throw new UsageError(what, code === 'ENOENT' ? 'no such file' : `cannot read it: ${code}`);
	}
}

interface Block {
	readonly label: string;
	readonly text: string;
}

function pemBlocks(text: string): Block[] {
	const found = text.matchAll(/-----BEGIN ([A-Z0-9 #]+)-----[\s\S]*?-----END \1-----/g);
	return Array.from(found, ([block, label = '']) => ({label, text: `${block}\n`}));
}

const certificateLabels = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

function readPem(blocks: readonly Block[], passphrase: string | undefined, what: string): Contents {
	const certificates = blocks
		.filter(({label}) => certificateLabels.has(label))
		.map(({text, label}, index) => {
			try {
				return new X509Certificate(text);
			} catch (cause) {
				const why = `${label} number ${index + 1} is damaged`;
				throw new UsageError(what, why, 'get the file again, as a file and not by pasting', cause);
			}
		});
	const keys = blocks
		.filter(({label}) => label.endsWith('PRIVATE KEY'))
		.map((block) => readKey(block, passphrase, what));
	const labels = blocks.map(({label}) => label);
	if (certificates.length + keys.length === 0) {
		throw new UsageError(
			what,
			`expected a certificate or a private key, found ${labels.join(', ')}`,
		);
	}
	return {format: 'PEM', labels, certificates, keys, identity: undefined};
}

function readKey({label, text}: Block, passphrase: string | undefined, what: string): KeyObject {
	const encrypted = label.startsWith('ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(text);
	if (encrypted && passphrase === undefined) {
		throw new UsageError(
			what,
			`the ${label} is encrypted and no passphrase was given`,
			'--passphrase-file FILE, or AXIOS_MTLS_PASSPHRASE',
		);
	}
	try {
		return createPrivateKey({key: text, ...(encrypted && {passphrase})});
	} catch (cause) {
		const why = encrypted
			? `the passphrase does not open the ${label}, or it is damaged`
			: `the ${label} cannot be parsed`;
		throw new UsageError(what, why, undefined, cause);
	}
}

function readDer(key: Buffer, passphrase: string | undefined): Contents | undefined {
	const der = {format: 'DER', certificates: [], keys: [], identity: undefined} as const;
	const certificate = attempt(() => new X509Certificate(key));
	if (certificate) return {...der, labels: ['certificate'], certificates: [certificate]};
	for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
		const found = attempt(() =>
			createPrivateKey({key, format: 'der', type, ...(passphrase !== undefined && {passphrase})}),
		);
		if (found) return {...der, labels: [`private key (${type.toUpperCase()})`], keys: [found]};
	}
	return undefined;
}

function attempt<T>(parse: () => T): T | undefined {
	try {
		return parse();
	} catch {
		// Not of this kind; the next one is tried.
		return undefined;
	}
}

function readPkcs12(pfx: Buffer, passphrase: string | undefined, what: string): Contents {
	try {
		const agent = new MtlsAgent(
			{pfx, ...(passphrase !== undefined && {passphrase}), allowExpired: true},
			{logger: false},
		);
		const {identity} = agent;
		agent.destroy();
		return {
			format: 'PKCS#12',
			labels: ['certificate and private key'],
			certificates: [],
			keys: [],
			identity: identity ?? undefined,
		};
	} catch (error) {
		if (!(error instanceof MtlsConfigError)) throw error;
		const why = error.message.replace(`${error.option}: `, '');
		const hint =
			error.option === 'mtls.passphrase'
				? '--passphrase-file FILE, or AXIOS_MTLS_PASSPHRASE'
				: undefined;
		throw new UsageError(what, why, hint, error);
	}
}
