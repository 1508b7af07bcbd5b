'use strict';
'require view';
'require form';
'require shareagent.bus as bus';
'require shareagent.kinds as kinds';
'require shareagent.look as look';
'require shareagent.words as words';

const DAYS = 14;
const SHOWN_REPORTS = 20;

return view.extend({
	load() {
		return Promise.all([ bus.situation(), bus.ask('earnings', DAYS), bus.ask('proofs', SHOWN_REPORTS) ]);
	},

	render([ situation, earnings, proofs ]) {
		const m = new form.Map('shareagent');
		this.addUploads(m);

		return m.render().then((node) => look.page(_('Uploads and rewards'),
			_('Every few minutes the router signs a report of what it carried and sends it to a collector. Rewards are paid for what the collector accepts. Every byte that earns nothing has a reason here.'),
			...(situation.trouble ? [ look.trouble(situation.trouble) ] : [
				this.state(situation.status.proofs ?? {}),
				look.section(_('From traffic to reward'), this.funnel(L.toArray(earnings.value?.days)), ...this.undated(earnings.value?.undated_bytes)),
				look.section(_('The last reports'), this.reports(L.toArray(proofs.value?.proofs)))
			]),
			node));
	},

	state(proofs) {
		if (proofs.held)
			return look.banner('warn', _('No reports are signed at the moment'), [ String(proofs.held) ]);

		if (proofs.rejected)
			return look.banner('warn', _('%d reports were not accepted').format(proofs.rejected), [ _('The tables below say why.') ]);

		return look.banner('good', _('Reports are signed and sent'),
			[ _('Accepted: %d. Waiting for an answer: %d; they are kept until it comes, also for days without a connection.')
				.format(proofs.accepted ?? 0, proofs.pending ?? 0) ]);
	},

	funnel(days) {
		return look.table([ _('Day'), _('Carried'), _('Signed'), _('Accepted'), _('Reward'), _('What is missing, and why') ], days.map((day) => [
			words.day(day.date),
			words.bytes(day.bytes),
			words.bytes(day.proven_bytes),
			words.bytes(day.accepted_bytes),
			day.rewarded_units == null ? _('not told yet') : words.ssp(day.rewarded_units),
			this.missing(L.toArray(day.reasons))
		]), _('Nothing was carried yet.'));
	},

	undated(bytes) {
		return bytes > 0
			? [ look.note(_('%s more were signed before the clock was set and belong to no day.').format(words.bytes(bytes))) ]
			: [];
	},

	missing(reasons) {
		return reasons.length
			? reasons.map((reason) => E('div', {}, [ words.bytes(reason.bytes) + ' ' + words.lost(reason) ]))
			: _('nothing');
	},

	reports(proofs) {
		return look.table([ _('Number'), _('From'), _('Until'), _('Traffic'), _('Paid'), _('Answer') ], proofs.map((proof) => [
			'%d-%d'.format(proof.epoch ?? 0, proof.seq ?? 0),
			words.time(proof.start_s),
			words.time(proof.end_s),
			words.bytes(proof.bytes),
			words.ssp(proof.paid_units),
			proof.reason ? [ words.verdict(proof.verdict), E('div', { 'class': 'sa-small' }, [ String(proof.reason) ]) ] : words.verdict(proof.verdict)
		]), _('No report was signed yet.'));
	},

	addUploads(m) {
		const s = m.section(form.NamedSection, 'proofs', 'proofs', _('Where reports go'),
			_('Your vendor tells you address and key. Without them reports stay on the router.'));
		let o = s.option(form.Value, 'collector_url', _('Collector'), _('Web address that reports are sent to.'));
		o.placeholder = 'https://…';
		o.validate = kinds.url();

		o = s.option(form.Value, 'collector', _('Key of the collector'),
			_('Address that its receipts are signed with: only with such a receipt a report counts as delivered.'));
		o.placeholder = '0x…';
		o.validate = kinds.address();

		o = s.option(form.Value, 'interval', _('One report every'), _('Shorter: more detail, more flash writes.'));
		o.placeholder = '10m';
		o.validate = kinds.duration('1s', '1d');
	}
});
