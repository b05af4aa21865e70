import {X509Certificate} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
// All of it: Node 22.14 and older have no `getCACertificates`, and would refuse the import before
// check-runtime.ts can say why.
import tls from 'node:tls';
import {MtlsConfigError} from '../../config-error.ts';
import type {TrustFacts} from '../../failures/facts.ts';
import type {MtlsOptions, Source} from '../../options/mtls.ts';
import {certificateFacts} from '../credentials/certificate-facts.ts';
import {fitsKey, isSignedBy, issuerOf} from '../credentials/chain.ts';
import type {PassphraseProvider} from '../credentials/passphrase.ts';
import {
	certificateBlocks,
	isCertificate,
	type PemBlock,
	parseCertificate,
	parsePem,
	readPem,
} from '../credentials/pem.ts';
import {
	type Content,
	describeFileError,
	isDirectory,
	pathOf,
	readInput,
} from '../credentials/read-input.ts';
import type {FindIssuer} from '../peer/peer-chain.ts';
import {childrenOf, DerError, type DerValue, readDer, sequence, tags} from '../pkcs12/der.ts';
import {parsePkcs12, pkcs12Of} from '../pkcs12/pkcs12.ts';

type CaSet = 'default' | 'system' | 'bundled';

/**
 * The certificates that `ca` names, as PEM, each once.
 *
 * Node accepts garbage in `ca` without an error and then trusts no CA; here each source must hold a
 * certificate.
 *
 * @returns `undefined` when `ca` is not given: Node's default trust, `NODE_EXTRA_CA_CERTS` included.
 * @throws {MtlsConfigError} for `mtls.ca`, naming the source.
 */
export function loadCa(
	ca: MtlsOptions['ca'],
	getPassphrase: PassphraseProvider = () => undefined,
): string[] | undefined {
	if (ca === undefined) return undefined;
	const sources: readonly Source[] = Array.isArray(ca) ? ca : [ca as Source];
	if (sources.length === 0) {
		throw noCertificate(
			'an empty list would trust nobody; leave `ca` out for what Node trusts by default',
		);
	}
	const found = sources.flatMap((source, index) =>
		load(source, Array.isArray(ca) ? index + 1 : undefined, getPassphrase),
	);
	return withoutDuplicates(found);
}

// The same certificate may have other line ends, or its older label.
function withoutDuplicates(certificates: readonly string[]): string[] {
	const seen = new Set<string>();
	return certificates.filter((pem) => {
		const body = pem.replaceAll(/-----.*-----|\s/g, '');
		return !seen.has(body) && seen.add(body);
	});
}

function load(
	source: Source,
	entry: number | undefined,
	getPassphrase: PassphraseProvider,
): string[] {
	if (isCaSet(source)) return loadSet(source);
	if (isDirectory(source)) return readDirectory(source, entry);
	const content = readInput(source, 'mtls.ca');
	if (pkcs12Of(content) !== undefined) return readTruststore(content, getPassphrase);
	const file = parsePem(content, 'mtls.ca', entry);
	return textsOf(certificateBlocks(file, 'mtls.ca'), file.from);
}

/**
 * The certificates of a PKCS#12 file, such as a truststore of Java. Of one that is an identity, all but the
 * certificates of its own keys: whoever names it here trusts the CAs in it.
 */
function readTruststore(content: Content, getPassphrase: PassphraseProvider): string[] {
	const {keys, certificates, from} = parsePkcs12(content, getPassphrase, 'mtls.ca');
	const trusted = certificates
		.map(({certificate}) => certificate)
		.filter((certificate) => !keys.some(({key}) => fitsKey(certificate, key)));
	if (trusted.length > 0) return trusted.map(String);
	const found = certificates.length === 0 ? 'none' : 'only that of its own key';
	throw noCertificate(`expected certificates of CAs in the PKCS#12 in ${from}, found ${found}`);
}

/** Whether a source names a set of CAs, not a file. */
export function isCaSet(source: unknown): source is CaSet {
	return source === 'default' || source === 'system' || source === 'bundled';
}

function loadSet(name: CaSet): string[] {
	const certificates = tls.getCACertificates(name);
	if (certificates.length > 0) return certificates;
	throw noCertificate(`the word '${name}' stands for no certificate on this system`);
}

// The names that `openssl rehash` and the systems' own directories use; a link by hash is one more name.
const certificateName = /\.(pem|crt|cer|der)$|^[\da-f]{8}\.\d+$/i;

/**
 * The certificates in a directory, in order of file names; subdirectories are skipped.
 *
 * A damaged one is an error, since its absence could go unnoticed; a file of another kind, such as a key
 * or a CRL, is skipped.
 */
function readDirectory(source: Source, entry: number | undefined): string[] {
	const path = pathOf(source) ?? '';
	const certificates = namesIn(path)
		.filter((name) => certificateName.test(name))
		.map((name) => join(path, name))
		.filter((file) => !isDirectory(file))
		.map((file) => readPem(file, 'mtls.ca', entry))
		.flatMap(({blocks, from}) => textsOf(blocks.filter(isCertificate), from));
	if (certificates.length > 0) return certificates;
	const where = entry === undefined ? '' : ` (entry ${entry} of the list)`;
	throw noCertificate(`expected certificates in folder '${path}'${where}, found none`);
}

function namesIn(path: string): string[] {
	try {
		return readdirSync(path).sort();
	} catch (cause) {
		const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
		throw new MtlsConfigError(
			'ERR_MTLS_UNREADABLE_FILE',
			'mtls.ca',
			`cannot read folder '${path}': ${describeFileError(code)}`,
			cause,
		);
	}
}

function textsOf(certificates: readonly PemBlock[], from: string): string[] {
	for (const block of certificates) parseCertificate(block, from, 'mtls.ca');
	return certificates.map(({text}) => text);
}

function noCertificate(message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NO_CERTIFICATE', 'mtls.ca', message);
}

/**
 * Finds issuers among the certificates that a context trusts: a server need not send its root
 * (RFC 8446 §4.4.2), and Node does not say which one OpenSSL has found.
 *
 * @param ca - PEM; without it what Node trusts by default.
 */
export function trustedIssuers(ca: readonly string[] | undefined): FindIssuer {
	let trusted: TrustedCertificates | undefined;
	return (certificate) => {
		trusted ??= ca === undefined ? trustedByDefault() : new TrustedCertificates(ca);
		return trusted.issuerOf(certificate);
	};
}

/** The CAs that a client trusts, and those that its app may take for trusted. */
interface KnownCas {
	/** PEM; without it what Node trusts by default. */
	readonly ca: readonly string[] | undefined;
	/** The CAs that came with the client certificate. */
	readonly pfxCas: readonly X509Certificate[];
	/** PEM: the `ca` of `https.globalAgent`. */
	readonly globalAgentCa: readonly string[] | undefined;
}

/**
 * How the trusted CAs relate to a chain that could not be verified.
 *
 * @param chain - What the server sent, and the trusted certificates above it, leaf first.
 */
export function trustFacts(
	chain: readonly X509Certificate[],
	{ca, pfxCas, globalAgentCa}: KnownCas,
): TrustFacts {
	const trusted = ca === undefined ? trustedByDefault() : new TrustedCertificates(ca);
	const [leaf] = chain;
	const last = chain.at(-1);
	const held = chain.filter((each) => trusted.holds(each));
	const isRoot = last?.checkIssued(last) ?? false;
	return {
		given: ca !== undefined,
		count: ca === undefined ? 0 : trusted.size,
		get names() {
			if (ca === undefined || trusted.size > maxNames) return [];
			const names = ca.map((pem) => certificateFacts(new X509Certificate(pem)).subject);
			return Array.from(new Set(names));
		},
		holdsLeaf: leaf !== undefined && held.includes(leaf),
		holdsTop: last !== undefined && !isRoot && held.includes(last),
		holdsNamesake: last !== undefined && !held.includes(last) && trusted.holdsNameOfIssuer(last),
		get holdsRelative() {
			const organization = last && organizationOf(last.issuer);
			return (
				organization !== undefined &&
				(ca ?? []).some((pem) => organizationOf(new X509Certificate(pem).subject) === organization)
			);
		},
		inPfx:
			last !== undefined &&
			pfxCas.some(
				(each) =>
					(last.checkIssued(each) && isSignedBy(last, each)) ||
					last.fingerprint256 === each.fingerprint256,
			),
		inGlobalAgent:
			last !== undefined &&
			globalAgentCa !== undefined &&
			new TrustedCertificates(globalAgentCa).issuerOf(last) !== undefined,
		isPublic:
			ca !== undefined && last !== undefined && trustedByDefault().issuerOf(last) !== undefined,
		held: new Set(held.map(({fingerprint256}) => fingerprint256)),
	};
}

/** Of which the names are told. */
const maxNames = 2;

/** What `openssl req` suggests, and says nothing of the owner. */
const defaultOrganization = 'Internet Widgits Pty Ltd';

/** Of a name as Node prints it, an attribute a line; `undefined` without one. */
function organizationOf(name: string | undefined): string | undefined {
	const organization = /^O=(.+)$/m.exec(name ?? '')?.[1];
	return organization === defaultOrganization ? undefined : organization;
}

const byDefault = new WeakMap<readonly string[], TrustedCertificates>();

// Node returns the same list until `setDefaultCACertificates` sets another.
function trustedByDefault(): TrustedCertificates {
	const ca = tls.getCACertificates('default');
	const known = byDefault.get(ca) ?? new TrustedCertificates(ca);
	byDefault.set(ca, known);
	return known;
}

/** Certificates by subject. Each is parsed when it is first needed: Node's whole list takes 15 ms. */
class TrustedCertificates {
	readonly #bySubject = new Map<string, Buffer[]>();
	readonly #parsed = new Map<string, readonly X509Certificate[]>();

	constructor(ca: readonly string[]) {
		for (const pem of ca) {
			const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
			const {subject} = namesOf(der);
			const same = this.#bySubject.get(subject);
			if (same === undefined) this.#bySubject.set(subject, [der]);
			else same.push(der);
		}
	}

	/** How many names they have. */
	get size(): number {
		return this.#bySubject.size;
	}

	issuerOf(certificate: X509Certificate): X509Certificate | undefined {
		return issuerOf(certificate, this.#named(namesOf(certificate.raw).issuer));
	}

	/** Whether this very certificate is among them. */
	holds(certificate: X509Certificate): boolean {
		const named = this.#bySubject.get(namesOf(certificate.raw).subject) ?? [];
		return named.some((der) => der.equals(certificate.raw));
	}

	/** Whether one has the name of the certificate's issuer. */
	holdsNameOfIssuer(certificate: X509Certificate): boolean {
		return this.#bySubject.has(namesOf(certificate.raw).issuer);
	}

	#named(name: string): readonly X509Certificate[] {
		const der = this.#bySubject.get(name);
		if (der === undefined) return [];
		const known = this.#parsed.get(name);
		if (known !== undefined) return known;
		// A renewed CA keeps its name, and often its key: the one that ends last comes first.
		const certificates = der
			.map((each) => new X509Certificate(each))
			.sort((a, b) => b.validToDate.getTime() - a.validToDate.getTime());
		this.#parsed.set(name, certificates);
		return certificates;
	}
}

/** The names in a certificate; empty when `der` is not a certificate. */
function namesOf(der: Buffer): {issuer: string; subject: string} {
	try {
		const [certificate] = sequence(readDer(der));
		const fields = sequence(certificate);
		// [version], serialNumber, signature, issuer, validity, subject, … (RFC 5280 §4.1)
		const at = fields[0]?.tag === tags.explicit0 ? 3 : 2;
		return {issuer: comparable(fields[at]), subject: comparable(fields[at + 2])};
	} catch (error) {
		if (!(error instanceof DerError)) throw error;
		return {issuer: '', subject: ''};
	}
}

/** PrintableString, UTF8String, TeletexString, IA5String and VisibleString. */
const texts: ReadonlySet<number> = new Set([0x13, 0x0c, 0x14, 0x16, 0x1a]);

/**
 * A name in a form that is the same for names that RFC 5280 §7.1 calls equal: a CA's own certificate may
 * have its name in other string types and capitals than those it has issued.
 */
function comparable(name: DerValue | undefined): string {
	const parts = sequence(name).map((rdn) => childrenOf(rdn).flatMap(childrenOf));
	return parts
		.map((values) =>
			values
				.map(({tag, content, whole}) =>
					texts.has(tag)
						? content.toString().trim().replaceAll(/ +/g, ' ').toLowerCase()
						: whole.toString('latin1'),
				)
				.join('='),
		)
		.join('\n');
}
