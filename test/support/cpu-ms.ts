/** What this process has computed so far, in ms: how busy the machine is with others does not show in it. */
export function cpuMs(): number {
	const {user, system} = process.cpuUsage();
	return (user + system) / 1000;
}
