// Node and the bundler read the file itself; TypeScript requires it to be below `rootDir`.
declare module '*/package.json' {
	const manifest: {readonly version: string};
	export default manifest;
}
