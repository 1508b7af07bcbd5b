'use strict';
'require view';
'require form';
'require shareagent.kinds as kinds';
'require shareagent.look as look';

return view.extend({
	render() {
		const m = new form.Map('shareagent');
		const intro = _('The page that opens by itself on a guest’s phone: guests choose, pay and see there what is left.');
		const s = m.section(form.NamedSection, 'portal', 'portal', _('Look'));

		let o = s.option(form.Value, 'name', _('Name'), _('What guests read at the top of the page, for example the name of your café.'));
		o.placeholder = 'SSP WiFi';
		o.validate = kinds.label(32);

		o = s.option(form.Value, 'welcome', _('Greeting'), _('A sentence of yours below the name, for example where guests get a pass code.'));
		o.validate = kinds.label(200);

		o = s.option(form.Value, 'colour', _('Colour'), _('For buttons and marks. White stands on it, so it must be dark.'));
		o.placeholder = '#0b6b57';
		o.validate = kinds.colour('#eef2f0', _('Enter a dark colour as # and 6 digits, for example #8a1c4a: this one could not be read on a light page.'));

		o = s.option(form.Value, 'colour_dark', _('Colour in dark mode'), _('For phones in dark mode. Black stands on it, so it must be bright.'));
		o.placeholder = '#4fd1ae';
		o.validate = kinds.colour('#18211f', _('Enter a bright colour as # and 6 digits, for example #ff9ec4: this one could not be read on a dark page.'));

		o = s.option(form.Value, 'folder', _('Folder'),
			_('Your files for the page: logo.svg, logo.png, logo.jpg or logo.webp of at most 64 kB, and terms.txt; terms.es.txt and so on for other languages.'));
		o.placeholder = '/etc/shareagent/portal';
		o.validate = kinds.path(200);

		o = s.option(form.Value, 'venue_url', _('Your website'), _('Linked on the page, and told to phones as the place they are in.'));
		o.validate = kinds.url();

		const a = m.section(form.NamedSection, 'portal', 'portal', _('Address'),
			_('Leave this as it is unless something else on the router needs the name or the port.'));

		o = a.option(form.Value, 'host', _('Name in the address bar'), _('Guests’ browsers show it. The router resolves it to itself.'));
		o.placeholder = 'portal.lan';
		o.validate = kinds.host();

		o = a.option(form.Value, 'port', _('Port'), _('A free TCP port of this router.'));
		o.placeholder = '2080';
		o.validate = kinds.integer(1024, 65535);

		const f = m.section(form.NamedSection, 'portal', 'portal', _('For trying out'));

		o = f.option(form.Value, 'faucet', _('Test money for guests'),
			_('So much SSP the router gives to a guest who asks for it on the page. Only on development chains (31337, 1337), where it is worth nothing: elsewhere nothing is sold while this is set.'));
		o.validate = kinds.ssp('0.0001', '1000');

		return m.render().then((node) => look.page(_('Guest page'), intro, node));
	}
});
