// Node and the bundler read the file itself; TypeScript would have it below `rootDir`.
declare module '*/package.json' {
	const manifest: {readonly version: string};
	export default manifest;
}
