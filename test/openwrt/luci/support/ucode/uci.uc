// Stand-in of ucode's module uci.
export function cursor() {
	return {
		get_first: function(config, type, option) {
			return config == 'shareagent' && type == 'agent' && option == 'enabled' ? global.world.enabled : null;
		}
	};
};
