'use strict';
'require view';
'require form';
'require shareagent.bus as bus';
'require shareagent.kinds as kinds';
'require shareagent.look as look';
'require shareagent.words as words';

return view.extend({
	load() {
		return Promise.all([ bus.ask('price'), bus.has('pass_list') ]);
	},

	render([ price, hasPasses ]) {
		const m = new form.Map('shareagent');
		const intro =
			_('What guests pay, in SSP. Traffic and time add up; leave one of them at 0 to sell only the other. Guests who are online keep the price they started with.');

		this.addPrices(m);
		this.addPackages(m);
		this.addWindows(m);

		return m.render().then((node) => look.page(_('Prices'), intro,
			...(hasPasses ? [ look.banner('good', _('Pass codes'),
				[ _('Sell or give away codes that guests type in instead of paying with a wallet.') ], look.link('passes', _('Open pass codes'))) ] : []),
			...(price.value ? [ this.summary(price.value) ] : []),
			node));
	},

	/* What the prices buy, from the running agent: the easiest way to see a zero too many. */
	summary(price) {
		const buys = L.toArray(price.packages).map((offer) => _('%s for %s: %s').format(
			String(offer.name), words.ssp(offer.price_units),
			[ offer.bytes == null ? null : words.bytes(offer.bytes), offer.seconds == null ? null : words.duration(offer.seconds) ]
				.filter((part) => part).join(` ${_('or', 'data or time')} `) || '–'));

		return look.banner('good', _('In force now: %s').format(words.price(price.now ?? {})), buys);
	},

	addPrices(m) {
		const s = m.section(form.NamedSection, 'price', 'price', _('Price'));
		let o = s.option(form.Value, 'per_mb', _('Price of a megabyte'),
			_('In SSP, for 1,000,000 bytes up and down together. A minute of video takes about 10 to 30 MB.'));
		o.placeholder = '0.1';
		o.validate = kinds.ssp('0', '1000000');

		o = s.option(form.Value, 'per_minute', _('Price of a minute'), _('In SSP. 0: time costs nothing.'));
		o.placeholder = '0';
		o.validate = kinds.ssp('0', '1000000');

		o = s.option(form.Value, 'min_deposit', _('Smallest payment'),
			_('In SSP. A guest sets aside at least this much at the start; what is not used goes back. At least 20 times the opening fee.'));
		o.placeholder = '1';
		o.validate = kinds.ssp('0.0001', '1000000');

		o = s.option(form.Value, 'open_fee', _('Opening fee'),
			_('In SSP, once for each paying guest. It gives you back what the blockchain charges for taking a payment.'));
		o.placeholder = '0.05';
		o.validate = kinds.ssp('0', '10000');

		o = s.option(form.Value, 'trial_bytes', _('Free data for each guest'),
			_('Each day, enough to open the page and pay. 0: none. For example 500kB or 5MB.'));
		o.placeholder = '1MB';
		o.validate = kinds.bytes('0', '1000000000');

		o = s.option(form.Value, 'trial_bytes_per_day', _('Free data for all guests together'),
			_('Each day: the most that can be taken for free, also by devices that pretend to be new ones.'));
		o.placeholder = '200MB';
		o.validate = kinds.bytes('0', '1000000000000');
	},

	addPackages(m) {
		const s = m.section(form.TableSection, 'package', _('Packages'),
			_('Buttons on the guest page, at most 12. A guest pays the price of the package, and gets back what is not used.'));
		s.anonymous = true;
		s.addremove = true;
		s.sortable = true;
		s.addbtntitle = _('Add a package');

		let o = s.option(form.Value, 'name', _('What the button says'));
		o.rmempty = false;
		o.placeholder = _('Coffee break');
		o.validate = kinds.label(24);

		o = s.option(form.Value, 'price', _('Price in SSP'));
		o.rmempty = false;
		o.placeholder = '5';
		o.validate = kinds.ssp('0.0001', '1000000');
	},

	addWindows(m) {
		const s = m.section(form.TableSection, 'window', _('Other prices at other times'),
			_('For example cheaper at night. The router’s own time counts, and past midnight is fine. Where two overlap the upper one counts. Both prices 0: free.'));
		s.anonymous = true;
		s.addremove = true;
		s.sortable = true;
		s.addbtntitle = _('Add a time of day');

		let o = s.option(form.Value, 'from', _('From'));
		o.rmempty = false;
		o.placeholder = '22:00';
		o.validate = kinds.time();

		o = s.option(form.Value, 'to', _('Until'));
		o.rmempty = false;
		o.placeholder = '06:00';
		o.validate = kinds.time();

		o = s.option(form.Value, 'per_mb', _('SSP for a megabyte'));
		o.rmempty = false;
		o.placeholder = '0.05';
		o.validate = kinds.ssp('0', '1000000');

		o = s.option(form.Value, 'per_minute', _('SSP for a minute'));
		o.placeholder = '0';
		o.validate = kinds.ssp('0', '1000000');
	}
});
