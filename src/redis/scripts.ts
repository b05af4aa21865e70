/*
 * Several commands that must not be interleaved with others are one script. A script uses only the
 * keys that it is given, so that a cluster can route it.
 */

/** KEYS: the hash. ARGV: field, value, TTL in ms. */
export const putScript = `
local ttl = tonumber(ARGV[3])
if ttl <= 0 then
	return redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
-- Redis 7.4, Valkey 9. An older server refuses it; there the field is removed when it is read, or with the key.
redis.pcall('HPEXPIRE', KEYS[1], ARGV[3], 'FIELDS', 1, ARGV[1])
-- The key expires with its last cookie. A new key has no TTL: -1.
if redis.call('PTTL', KEYS[1]) < ttl then
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
`;

/** KEYS: the hash. ARGV: the prefix of the fields to remove. */
export const removeByPrefixScript = `
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
	if string.sub(field, 1, #ARGV[1]) == ARGV[1] then
		redis.call('HDEL', KEYS[1], field)
	end
end
`;

/** KEYS: the hash. ARGV: field, value, field, value. Keeps a field that another process has set again. */
export const removeUnchangedScript = `
for i = 1, #ARGV, 2 do
	if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
		redis.call('HDEL', KEYS[1], ARGV[i])
	end
end
`;

/** KEYS: the lease. ARGV: token, TTL in ms. */
export const acquireScript = `
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
`;

/** KEYS: the lease. ARGV: token. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
`;

/** KEYS: the lease, the counter. ARGV: token, TTL of the counter in ms. */
export const completeScript = `
if redis.call('EXISTS', KEYS[2]) == 0 then
	-- A server that lost its data must not count the same numbers again: a login is known by its number.
	local now = redis.call('TIME')
	redis.call('SET', KEYS[2], now[1] * 1000 + math.floor(now[2] / 1000))
end
redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
`;
