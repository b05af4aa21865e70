/*
 * Sentences about the setting that named the proxy: the `proxy` option, or a variable of the environment.
 */
import type {Cause, Facts} from './facts.ts';

export const cause = (
	id: string,
	text: string | Cause['text'],
	repair: string | Cause['repair'],
	when?: Cause['when'],
): Cause => ({
	id,
	text: typeof text === 'string' ? () => text : text,
	repair: typeof repair === 'string' ? () => repair : repair,
	...(when && {when}),
});

/** The setting in use: `HTTPS_PROXY`. */
export const settingOf = ({proxy}: Facts) => proxy?.variable ?? '`proxy`';

/** Where its user and password are set. */
export const loginSettingOf = ({proxy}: Facts) =>
	proxy?.variable === undefined ? '`proxy.auth`' : `the URL of ${proxy.variable}`;

export const checkSetting = (facts: Facts) => `check the host and port in ${settingOf(facts)}`;

/** How requests to this host go without the proxy. */
export const bypass = ({proxy, host}: Facts) =>
	proxy?.variable === undefined ? `leave \`proxy\` out for '${host}'` : `add '${host}' to NO_PROXY`;

export const allowHost = (facts: Facts) =>
	`have '${facts.host}' allowed on the proxy, or ${bypass(facts)}`;
