export interface Validity {
	readonly from: Date;
	readonly to: Date;
}

export interface ValidityOptions {
	/** @defaultValue an hour ago for a leaf, a year ago for an authority */
	validFrom?: Date;
	/** @defaultValue in 90 days for a leaf, in ten years for an authority */
	validTo?: Date;
	/** Ended yesterday, unless `validTo` says otherwise. */
	expired?: boolean;
	/** Begins tomorrow, unless `validFrom` says otherwise. */
	notYetValid?: boolean;
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

const defaults = {
	leaf: {from: -HOUR_MS, to: 90 * DAY_MS},
	authority: {from: -365 * DAY_MS, to: 3650 * DAY_MS},
};

/** The validity of a certificate; dates override `expired` and `notYetValid`. */
export function resolveValidity(
	kind: 'leaf' | 'authority',
	options: ValidityOptions,
	now: Date,
): Validity {
	const at = (offsetMs: number) => new Date(now.getTime() + offsetMs);
	const to = options.validTo ?? at(options.expired ? -DAY_MS : defaults[kind].to);
	if (options.validFrom !== undefined) return {from: options.validFrom, to};
	if (options.notYetValid) return {from: at(DAY_MS), to};

	// An expired certificate was valid once: its beginning must lie before its end.
	const usual = at(defaults[kind].from);
	const from = usual < to ? usual : new Date(to.getTime() - 30 * DAY_MS);
	return {from, to};
}
