import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {toPem, writeCertificate} from '../support/certificate-writer.ts';

export interface Link {
	readonly subject: string | Buffer;
	readonly validity?: Buffer;
	/** @defaultValue whether another link is below it */
	readonly authority?: boolean;
	readonly extensions?: readonly Buffer[];
	readonly names?: Buffer;
}

export const ecKey = () => generateKeyPairSync('ec', {namedCurve: 'P-256'});

export const pemOf = (key: KeyObject) => key.export({type: 'pkcs8', format: 'pem'}).toString();

/** A root and what is below it, in order; the last is the leaf. */
export function writeChain(...links: readonly Link[]) {
	let issuer: {subject: string | Buffer; key: KeyObject} | undefined;
	const certificates: string[] = [];
	for (const [index, link] of links.entries()) {
		const {publicKey, privateKey} = ecKey();
		const authority = link.authority ?? index < links.length - 1;
		const signed = writeCertificate({
			...link,
			authority,
			publicKey,
			...(issuer ? {issuer} : {key: privateKey}),
		});
		certificates.unshift(toPem(signed));
		issuer = {subject: link.subject, key: privateKey};
	}
	const [root = ''] = certificates.slice(-1);
	const [leaf = ''] = certificates;
	return {
		root,
		leaf,
		/** What is sent: the leaf first, without the root. */
		cert: certificates.slice(0, -1).join(''),
		key: issuer ? pemOf(issuer.key) : '',
	};
}
