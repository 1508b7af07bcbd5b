'use strict';
'require view';
'require form';
'require shareagent.bus as bus';
'require shareagent.kinds as kinds';
'require shareagent.look as look';
'require shareagent.words as words';

const DONE_STATES = [ 'settled', 'failed' ];

return view.extend({
	load() {
		return Promise.all([ bus.situation(), bus.ask('channels') ]);
	},

	render([ situation, channels ]) {
		const m = new form.Map('shareagent');
		const intro =
			_('Where your money goes. Only addresses belong here: never type a private key or recovery words into a router.');
		const s = m.section(form.NamedSection, 'chain', 'chain');

		s.tab('payout', _('Your address'));
		s.tab('contracts', _('Blockchain'), _('Your vendor or token issuer tells you these. All of them must belong together.'));
		s.tab('times', _('Times'), _('The defaults are right for nearly everybody.'));
		this.addPayout(s);
		this.addContracts(s);
		this.addTimes(s);

		return m.render().then((node) => look.page(_('Payout'), intro,
			...(situation.trouble ? [ look.trouble(situation.trouble) ] : [ this.account(situation.status) ]),
			node,
			...(channels.value ? [ this.channels(L.toArray(channels.value.channels)) ] : [])));
	},

	account(status) {
		const chain = status.chain ?? {};

		return look.cards([
			[ _('Not paid out yet'), words.ssp(chain.claimable_units) ],
			[ _('Paid out so far'), words.ssp(chain.settled_units) ],
			[ _('Blockchain'), chain.connected == null ? _('not asked yet') : chain.connected ? _('connected') : _('not reached') ]
		]);
	},

	channels(list) {
		const open = list.filter((channel) => !DONE_STATES.includes(channel.state));

		return look.section(_('Payments that are still open'),
			look.note(_('Each paying guest has one. What the guest used goes to you and the rest goes back, at the latest when it runs out.')),
			look.table([ _('Guest’s key'), _('State'), _('Set aside'), _('Used'), _('Runs out') ], open.map((channel) => [
				E('span', { 'class': 'sa-code', 'title': String(channel.payer) }, [ String(channel.payer).slice(0, 10) + '…' ]),
				words.channelState(channel.state),
				words.ssp(channel.deposit_units),
				words.ssp(channel.charged_units),
				words.time(channel.expiry_s)
			]), _('None.')));
	},

	addPayout(s) {
		const o = s.taboption('payout', form.Value, 'payee', _('Your payout address'),
			_('An address of your own wallet: 0x and 40 more characters. Copy it, and compare the first and last characters: what goes to a wrong address is gone.'));
		o.placeholder = '0x…';
		o.validate = kinds.address();
	},

	addContracts(s) {
		let o = s.taboption('contracts', form.Value, 'rpc_url', _('Access point'), _('Web address of a blockchain node (JSON-RPC) that the router asks.'));
		o.placeholder = 'https://…';
		o.validate = kinds.url();

		o = s.taboption('contracts', form.Value, 'chain_id', _('Number of the chain'), _('The access point must give the same number, or nothing is sold.'));
		o.validate = kinds.integer(1, Number.MAX_SAFE_INTEGER);

		o = s.taboption('contracts', form.Value, 'channels', _('Payment contract'), _('Address of the contract ShareChannels.'));
		o.validate = kinds.address();

		o = s.taboption('contracts', form.Value, 'token', _('Token'), _('Address of the SSP token that guests pay with.'));
		o.validate = kinds.address();

		o = s.taboption('contracts', form.Value, 'token_name', _('Name of the token'), _('Exactly as the token’s contract has it: with another name no payment is valid.'));
		o.validate = kinds.label(64);

		o = s.taboption('contracts', form.Value, 'token_version', _('Version of the token'), _('As the token’s contract has it; mostly 1.'));
		o.placeholder = '1';
		o.validate = kinds.label(16);

		o = s.taboption('contracts', form.Value, 'registry', _('Router registry'), _('Address of the contract DeviceRegistry, where routers are known.'));
		o.validate = kinds.address();
	},

	addTimes(s) {
		let o = s.taboption('times', form.Value, 'channel_life', _('A payment lasts at most'),
			_('After this anybody may send the guest the rest back.'));
		o.placeholder = '7d';
		o.validate = kinds.duration('10m', '366d');

		o = s.taboption('times', form.Value, 'exit_delay', _('Time to claim'),
			_('How long the router has to collect what was used after a guest asks for the money back without it. Below 1h a power cut can cost you income.'));
		o.placeholder = '1h';
		o.validate = kinds.duration('15m', '30d');

		o = s.taboption('times', form.Value, 'voucher_margin', _('Stop before the end'),
			_('No more is taken from a payment this long before it runs out, so that collecting still gets through. Less than half of the time above.'));
		o.placeholder = '15m';
		o.validate = kinds.duration('30s', '7d');
	}
});
