/*
 * The CA of the server is in another place than the `ca` that it was verified with.
 */
import {noEntry, originOf} from './client-certificate-required.ts';
import type {Cause, Facts} from './facts.ts';

/** The last certificate of the chain: the one whose issuer is not known. */
export const lastOf = ({chain}: Facts) => chain.at(-1);
export const missing = (facts: Facts) => `'${lastOf(facts)?.issuer ?? ''}'`;

/** The CA may be in the `ca` of an entry. */
const caUnlisted: Cause = {
	id: 'no-origin-matches',
	text: (facts) =>
		`${noEntry(facts)}, so the CAs that Node trusts were used, and ${missing(facts)} is not among them`,
	repair: (facts) =>
		`add ${originOf(facts)} to the \`origins\` of the entry that is for this server`,
	when: ({options}) => options.unmatchedOrigins !== undefined,
};

// axios trusts it.
const caInGlobalAgent: Cause = {
	id: 'ca-in-global-agent',
	text: (facts) =>
		`the CA ${missing(facts)} is in the \`ca\` of \`https.globalAgent\`, which this client does not use`,
	repair: (facts) =>
		facts.options.unmatchedOrigins === undefined
			? `give it as \`mtls.ca\``
			: `add an entry with it as \`ca\` and with ${originOf(facts)} in its \`origins\` to \`mtls\``,
	when: (facts) => facts.trust().inGlobalAgent,
};

// Plain Node trusts it.
const caInPfx: Cause = {
	id: 'ca-in-pfx',
	text: (facts) =>
		`the CA ${missing(facts)} is in \`${facts.words.mtls}.pfx\`, and is not trusted by that`,
	repair: (facts) =>
		`if the servers of ${missing(facts)} are to be trusted, give the same file as \`${facts.words.mtls}.ca\` too`,
	when: (facts) => facts.trust().inPfx,
};

/** The facts exclude those that are not so. */
export const caElsewhere: readonly Cause[] = [caInGlobalAgent, caUnlisted, caInPfx];
