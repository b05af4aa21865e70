/** The packages that an app may have beside ours. `.ci/run` runs the main features with each of these sets. */
export const packageSets = {
	/** The oldest that work. */
	oldest: {
		axios: '1.7.0',
		'tough-cookie': '4.1.3',
		'axios-cookiejar-support': '4.0.5',
		redis: '4.7.0',
	},
	/** Those of many apps. */
	common: {
		axios: '1.13.2',
		'tough-cookie': '5.1.2',
		'axios-cookiejar-support': '5.0.5',
		redis: '5.12.1',
	},
	/** Newer than package-lock.json, where there is anything newer. */
	newest: {axios: '1', 'tough-cookie': '6', 'axios-cookiejar-support': '*', redis: '*'},
} as const;
