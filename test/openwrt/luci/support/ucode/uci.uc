// Stand-in of ucode's module uci.
export function cursor() {
	return {
		get: function(config, section, option) {
			return config == 'shareagent' && section == 'agent' && option == 'enabled' ? global.world.enabled : null;
		}
	};
};
