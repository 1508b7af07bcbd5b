'use strict';
'require baseclass';
'require rpc';

/* Every call that these pages make: `shareagent` is the agent itself, `luci.shareagent` the plugin that also answers
   while the agent is down. What may be called is in acl.d; a test holds the two together. */
const calls = {
	status: rpc.declare({ object: 'shareagent', method: 'status', reject: true }),
	sessions: rpc.declare({ object: 'shareagent', method: 'sessions', reject: true }),
	channels: rpc.declare({ object: 'shareagent', method: 'channels', reject: true }),
	earnings: rpc.declare({ object: 'shareagent', method: 'earnings', params: [ 'days' ], reject: true }),
	proofs: rpc.declare({ object: 'shareagent', method: 'proofs', params: [ 'limit' ], reject: true }),
	price: rpc.declare({ object: 'shareagent', method: 'price', reject: true }),
	doctor: rpc.declare({ object: 'shareagent', method: 'doctor', reject: true }),
	session_end: rpc.declare({ object: 'shareagent', method: 'session_end', params: [ 'id' ], reject: true }),
	session_extend: rpc.declare({ object: 'shareagent', method: 'session_extend', params: [ 'id', 'bytes' ], reject: true }),
	pass_list: rpc.declare({ object: 'shareagent', method: 'pass_list', reject: true }),
	pass_create: rpc.declare({ object: 'shareagent', method: 'pass_create', params: [ 'count', 'value_units' ], reject: true }),
	service: rpc.declare({ object: 'luci.shareagent', method: 'service', reject: true }),
	action: rpc.declare({ object: 'luci.shareagent', method: 'action', params: [ 'name' ], reject: true }),
	log: rpc.declare({ object: 'luci.shareagent', method: 'log', reject: true })
};

/* uhttpd answers -32000 for an object that is not there and -32002 for one that this login may not call; the fallback
   of LuCI answers with the plain ubus status. rpc.js leaves both in the text of its error only. */
function whyOf(error) {
	const message = String(error?.message ?? error);
	const status = /ubus code (\d+)/.exec(message);

	if (/error -32002/.test(message) || status?.[1] === '6')
		return 'denied';

	if (/error -32000/.test(message) || status?.[1] === '3' || status?.[1] === '4')
		return 'absent';

	return 'failed';
}

return baseclass.extend({
	/* -> { value } or { why: 'absent' | 'denied' | 'failed', message } ; never rejects */
	ask(name, ...args) {
		return calls[name](...args).then(
			(value) => ({ value: L.isObject(value) ? value : {} }),
			(error) => ({ why: whyOf(error), message: String(error?.message ?? error).split('\n')[0] })
		);
	},

	/* Whether the running agent knows this method. */
	has(method) {
		return L.resolveDefault(rpc.list('shareagent'), {}).then((objects) => objects?.shareagent?.[method] != null);
	},

	/* -> { status } while the agent answers, else { trouble, service } for look.trouble() */
	situation() {
		return Promise.all([ this.ask('status'), this.ask('service') ]).then(([ status, service ]) => {
			if (status.value)
				return { status: status.value, service: service.value };

			return { trouble: this.troubleOf(status, service), service: service.value };
		});
	},

	troubleOf(status, service) {
		if (status.why === 'denied' || service.why === 'denied')
			return 'denied';

		if (!service.value)
			return 'no-plugin';

		if (!service.value.installed)
			return 'not-installed';

		if (!service.value.selling && !service.value.running)
			return 'switched-off';

		if (service.value.running)
			return 'silent';

		return service.value.exit_code ? 'crashed' : 'stopped';
	}
});
