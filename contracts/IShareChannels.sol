// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Prepaid channels between WiFi guests and the owners of routers
/// @notice A guest deposits once, signs cumulative vouchers while surfing, and gets back what was not claimed.
/// Nobody has power over a deposit but the parties named in its config, and the clock.
/// @dev A channel is named by the EIP-712 digest of its config, so chain, contract and parties are bound into every
/// signature and only 176 bits of state are stored. Amounts are base units of the token; SSP's whole supply is below
/// 2^47. Signatures are EIP-2098 (r, vs). An unclaimed voucher reserves nothing: claim before expiry and exit.
interface IShareChannels {
    /// @param payer deposits, and gets back what is not claimed
    /// @param signer whose key signs vouchers; for a pass code the payer itself
    /// @param payee who is paid: the owner of the router
    /// @param device the router; may claim and close for the payee
    /// @param expiry Unix seconds from which anyone may reclaim the rest for the payer
    /// @param exitDelay seconds between the payer's exit request and reclaim
    /// @param salt makes otherwise equal channels distinct; a closed one never opens again
    struct ChannelConfig {
        address payer;
        address signer;
        address payee;
        address device;
        uint40 expiry;
        uint40 exitDelay;
        bytes32 salt;
    }

    /// @dev One storage slot. `deposit` and `claimed` are cumulative and keep their last values after the close.
    struct Channel {
        uint64 deposit;
        uint64 claimed;
        uint40 exitAt;
        bool closed;
    }

    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @param amount cumulative units to be claimed in all, at most `ceiling`
    /// @param ceiling amount of the voucher that `signature` is under
    /// @param ackBytes metered bytes the guest acknowledged with that voucher
    /// @param signature of the signer under Voucher(channelId, ceiling, ackBytes); unused if nothing new is claimed
    struct Claim {
        ChannelConfig config;
        uint64 amount;
        uint64 ceiling;
        uint64 ackBytes;
        Signature signature;
    }

    /// @param amount cumulative units to be claimed in all, at most base + index * tickValue
    /// @param base amount of the tick voucher that `signature` is under
    /// @param anchor first word of its chain
    /// @param tickValue units a tick is worth
    /// @param ticks length of the chain, at most 256
    /// @param index steps from `preimage` to the anchor; 0 with the anchor itself claims the base alone
    /// @param signature of the signer under TickVoucher(channelId, base, anchor, tickValue, ticks)
    struct TickClaim {
        ChannelConfig config;
        uint64 amount;
        uint64 base;
        bytes32 anchor;
        uint32 tickValue;
        uint32 ticks;
        uint32 index;
        bytes32 preimage;
        Signature signature;
    }

    event Opened(
        bytes32 indexed channelId,
        address indexed payee,
        address indexed device,
        address payer,
        address signer,
        uint40 expiry,
        uint40 exitDelay,
        bytes32 salt,
        uint64 deposit
    );
    event ToppedUp(bytes32 indexed channelId, uint64 deposit);
    /// @notice `delta` units went to the payee; the sum over a device is what it was paid for traffic, and the sum over
    /// a device and a week of block times is claimedFor.
    event Claimed(bytes32 indexed channelId, address indexed device, uint64 delta, uint64 claimed);
    event ExitRequested(bytes32 indexed channelId, uint40 exitAt);
    event Closed(bytes32 indexed channelId, uint64 claimed, uint64 refund);
    event Withdrawn(address indexed payee, uint256 amount, uint256 fee);
    event FeesBurned(uint256 amount);

    error NotAToken(address token);
    error FeeTooHigh(uint256 maxBasisPoints, uint256 got);
    error ZeroAmount();
    error MissingParty();
    error ExitDelayTooLong(uint256 maxSeconds, uint256 got);
    error DepositTooLarge(uint256 max, uint256 got);
    error DepositNotIncreased(uint256 deposit, uint256 got);
    error ChannelNotOpen(bytes32 channelId);
    error ChannelIsClosed(bytes32 channelId);
    error ChannelIsExiting(bytes32 channelId, uint256 exitAt);
    error ChannelExpired(uint256 expiry, uint256 time);
    error NotReclaimableYet(uint256 reclaimableAt, uint256 time);
    error NotPayer(address payer, address got);
    error NotPayeeOrDevice(address payee, address device, address got);
    error WrongSigner(address expected, address got);
    error SignatureExpired(uint256 deadline, uint256 time);
    error AmountAboveCeiling(uint256 ceiling, uint256 got);
    error AmountAboveDeposit(uint256 deposit, uint256 got);
    error AmountBelowClaimed(uint256 claimed, uint256 got);
    error TooManyTicks(uint256 max, uint256 got);
    error TickBeyondChain(uint256 ticks, uint256 got);
    error NotOfThisChain(bytes32 anchor, bytes32 got);
    error NothingToWithdraw(address payee);
    error NothingToBurn();
    error TokenRefused();
    error TokenUnderpaid(uint256 expected, uint256 got);

    /// @notice Opens the payer's channel, or adds to it, with tokens approved to this contract.
    /// @dev Refused while exiting: else one unit would postpone the payer's exit.
    /// @param amount units to add
    function open(ChannelConfig calldata config, uint64 amount) external returns (bytes32 channelId);

    /// @notice Opens or adds with the payer's EIP-3009 authorisation. Anyone may relay it and can change nothing:
    /// its nonce is keccak256(channelId, n), so the money is bound to exactly this channel.
    /// @param n counts the deposits of one channel; any value that was not used yet
    function openWithAuthorization(
        ChannelConfig calldata config,
        uint64 amount,
        uint256 validAfter,
        uint256 validBefore,
        uint256 n,
        Signature calldata signature
    ) external returns (bytes32 channelId);

    /// @notice Opens or adds with the payer's EIP-2612 permit and Open(channelId, deposit, deadline). The permit alone
    /// binds no channel. A permit that was used already, or an earlier approval, serves as well.
    /// @param deposit what the channel's deposit shall be afterwards; cumulative, so that a replay adds nothing
    function openWithPermit(
        ChannelConfig calldata config,
        uint64 deposit,
        uint256 deadline,
        Signature calldata permitSignature,
        Signature calldata openSignature
    ) external returns (bytes32 channelId);

    /// @notice Opens or adds with a Permit2 transfer of the payer, whose witness ChannelDeposit(channelId) and whose nonce
    /// keccak256(channelId, n) bind the money to exactly this channel. For tokens without permit, such as SSP itself.
    /// @param n counts the deposits of one channel; any value that was not used yet
    function openWithPermit2(
        ChannelConfig calldata config,
        uint64 amount,
        uint256 deadline,
        uint256 n,
        Signature calldata signature
    ) external returns (bytes32 channelId);

    /// @notice Books what vouchers allow to the payees. By payee or device. What is claimed already, or closed, is
    /// passed over, so that one channel cannot spoil the batch of the others; anything false reverts.
    function claim(Claim[] calldata claims) external;

    /// @notice The same, relayed by anyone under ClaimBatch(root) of the payee's or the device's, who is one for all;
    /// root = keccak256 of bytes32 channelId || uint256 amount, claim after claim. A replay books nothing.
    function claimWithSig(Claim[] calldata claims, Signature calldata batchSignature) external;

    /// @notice Books what a tick voucher and a preimage of its chain allow. By payee or device.
    function claimTicks(TickClaim calldata item) external;

    /// @notice Final claim, and the rest back to the payer at once. By payee or device.
    /// With `amount` = what is claimed already (0 if nothing was used) no voucher is needed.
    function close(Claim calldata finalClaim) external;

    /// @notice The same, relayed by anyone under the payee's or device's Close(channelId, amount).
    function closeWithSignature(Claim calldata finalClaim, Signature calldata closeSignature) external;

    /// @notice The payer wants to leave: after exitDelay the rest can be reclaimed. Cannot be undone or prolonged.
    function requestExit(ChannelConfig calldata config) external;

    /// @notice The same, relayed by anyone under the payer's Exit(channelId, deadline).
    function requestExitWithSignature(ChannelConfig calldata config, uint256 deadline, Signature calldata signature)
        external;

    /// @notice By anyone, from expiry or exit on: gives the payer what was not claimed and closes.
    function reclaim(ChannelConfig calldata config) external;

    /// @notice By anyone: pays what the payee has earned, less the fee (rounded up once, from the whole amount).
    function withdraw(address payee) external;

    /// @notice By anyone: sends the fees to an address nobody has the key of.
    function burnFees() external;

    function token() external view returns (address);
    function feeBasisPoints() external view returns (uint256);
    /// @notice Units earned by a payee and not yet withdrawn, before the fee.
    function earned(address payee) external view returns (uint256);
    /// @notice Fees taken and not yet burned.
    function feePot() external view returns (uint256);
    /// @notice Units claimed for a device in an epoch of 7 days (Unix time / 604800), before the fee.
    function claimedFor(uint256 epoch, address device) external view returns (uint256);
    /// @notice The sum of claimedFor over all devices but zero.
    function claimedInEpoch(uint256 epoch) external view returns (uint256);
    function channelId(ChannelConfig calldata config) external view returns (bytes32);
    function channels(bytes32 id) external view returns (Channel memory);
    /// @notice Unix seconds from which reclaim is allowed: the expiry, or the exit if that is earlier.
    function reclaimableAt(ChannelConfig calldata config) external view returns (uint256);
}
