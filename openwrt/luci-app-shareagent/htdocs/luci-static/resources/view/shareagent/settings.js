'use strict';
'require view';
'require form';
'require shareagent.kinds as kinds';
'require shareagent.look as look';

return view.extend({
	render() {
		const m = new form.Map('shareagent');
		const intro = _('Switch selling on and off, and choose where it happens.');
		m.tabbed = true;

		this.addAgent(m);
		this.addNetwork(m);
		this.addSession(m);

		return m.render().then((node) => look.page(_('Settings'), intro, node));
	},

	addAgent(m) {
		const s = m.section(form.NamedSection, 'agent', 'agent', _('Selling'));
		let o = s.option(form.Flag, 'enabled', _('Sell WiFi'),
			_('Switched off: guests stay blocked, nobody surfs for free. Before you switch it on, set your address on the page Payout and your prices on the page Prices.'));
		o.rmempty = false;

		o = s.option(form.ListValue, 'log_level', _('How much is written to the system log'));
		o.value('info', _('what happens (normal)'));
		o.value('warn', _('only what is wrong'));
		o.value('error', _('only what fails'));
		o.value('debug', _('everything, for finding a fault'));
		o.default = 'info';
	},

	addNetwork(m) {
		const s = m.section(form.NamedSection, 'network', 'network', _('Guest network'),
			_('Only these are touched. Your own network, this web interface and ssh stay as they are.'));
		let o = s.option(form.DynamicList, 'guest_device', _('Guest bridges'),
			_('Network devices whose guests pay, mostly br-guest. At most 8.'));
		o.placeholder = 'br-guest';
		o.validate = kinds.device();

		o = s.option(form.Value, 'rate_down', _('Fastest download of one guest'),
			_('In kbit/s; 10000 is 10 Mbit/s, 0 is no limit. Set both limits together.'));
		o.placeholder = '0';
		o.validate = kinds.integer(0, 10000000);

		o = s.option(form.Value, 'rate_up', _('Fastest upload of one guest'), _('In kbit/s; 0 is no limit.'));
		o.placeholder = '0';
		o.validate = kinds.integer(0, 10000000);

		o = s.option(form.Value, 'place', _('Place'),
			_('Published for all to read, in the signed offer of your WiFi. As coarse as you like: a country, or a geohash too, which with 6 characters tells about a kilometre. Empty: nowhere is told.'));
		o.validate = kinds.place();
	},

	addSession(m) {
		const s = m.section(form.NamedSection, 'session', 'session', _('Guests coming and going'));
		let o = s.option(form.Value, 'grace', _('Time to top up'),
			_('A guest who used everything up is held this long before connections end. Nothing passes meanwhile.'));
		o.placeholder = '30s';
		o.validate = kinds.duration('0s', '1h');

		o = s.option(form.Value, 'absent', _('Gone after'),
			_('A guest out of reach for this long counts as gone and gets the rest back.'));
		o.placeholder = '5m';
		o.validate = kinds.duration('5s', '1d');

		o = s.option(form.Value, 'flush', _('Write usage to flash every'),
			_('Newer usage is lost at a power cut, in favour of the guest. Shorter wears the flash more.'));
		o.placeholder = '60s';
		o.validate = kinds.duration('1s', '1h');

		o = s.option(form.Value, 'flush_bytes', _('Or after this much data of one guest'));
		o.placeholder = '5MB';
		o.validate = kinds.bytes('1kB', '1GB');

		o = s.option(form.Value, 'sample_ms', _('Count every'),
			_('In milliseconds. Only how often numbers on the pages move: guests are stopped exactly in any case.'));
		o.placeholder = '1000';
		o.validate = kinds.integer(100, 60000);
	}
});
