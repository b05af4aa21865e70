// axios exports its inner files under `unsafe/`, without types.
declare module 'axios/unsafe/helpers/shouldBypassProxy.js' {
	/** Whether `NO_PROXY` of the environment keeps `location` off the proxy. */
	export default function shouldBypassProxy(location: string): boolean;
}
