// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Budgets} from "./Budgets.sol";
import {IDeviceRegistry} from "./IDeviceRegistry.sol";
import {IShareChannels} from "./IShareChannels.sol";
import {IShareRewards} from "./IShareRewards.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title Rewards for carried traffic; described in IShareRewards
/// @dev Checks, then effects, then the one call to the token.
contract ShareRewards is IShareRewards, Budgets {
    using TokenTransfer for address;

    /// @dev A GrowthRoot, and in its second word what was paid under this one and all before.
    struct Accepted {
        bytes32 root;
        uint64 total;
        uint40 acceptableAt;
        uint64 paid;
    }

    uint40 public constant CHALLENGE_PERIOD = 24 hours;

    IShareChannels public immutable channels;
    IDeviceRegistry public immutable registry;
    address public immutable token;
    uint256 public immutable feeBasisPoints;
    address public immutable publisher;
    address public immutable auditor;
    uint256 public immutable maxGrowthPerEpoch;
    uint256 public immutable growthBond;

    mapping(address device => mapping(uint256 word => uint256 bits)) private _claimed;
    mapping(address device => uint256 units) public grownBy;
    GrowthRoot private _pending;
    Accepted private _accepted;

    constructor(address channels_, address registry_, uint256 firstEpoch_, GrowthTerms memory growth)
        Budgets(firstEpoch_, growth.basisPoints)
    {
        channels = IShareChannels(channels_);
        registry = IDeviceRegistry(registry_);
        token = IShareChannels(channels_).token();
        feeBasisPoints = IShareChannels(channels_).feeBasisPoints();
        publisher = growth.publisher;
        auditor = growth.auditor;
        maxGrowthPerEpoch = growth.maxPerEpoch;
        growthBond = growth.bond;
    }

    function claimUsage(address device, uint256[] calldata epochs) external {
        address operator = _operatorOf(device);
        uint256 current = block.timestamp / EPOCH;
        uint256 sum = 0;
        for (uint256 i = 0; i < epochs.length; i++) {
            uint256 epoch = epochs[i];
            if (epoch < firstEpoch) revert EpochBeforeFirst(firstEpoch, epoch);
            if (epoch >= current) revert EpochNotOver(current, epoch);
            uint256 bits = _claimed[device][epoch >> 8];
            uint256 bit = 1 << (epoch & 0xff);
            if (bits & bit != 0) continue;
            uint256 units = rewardOf(device, epoch);
            if (units == 0) continue;
            _claimed[device][epoch >> 8] = bits | bit;
            sum += units;
            emit UsageReward(device, epoch, operator, units);
        }
        if (sum == 0) revert NothingToClaim(device);
        token.send(operator, sum);
    }

    function proposeRoot(bytes32 root, uint64 total, uint256 throughEpoch) external {
        if (growthBasisPoints == 0) revert NoGrowthStream();
        if (msg.sender != publisher) revert NotPublisher(publisher, msg.sender);
        uint256 current = block.timestamp / EPOCH;
        if (throughEpoch >= current) revert EpochNotOver(current, throughEpoch);
        uint256 allowance = growthAllowance(throughEpoch);
        if (total > allowance) revert TotalAboveAllowance(allowance, total);
        if (total < _accepted.total) revert TotalBelowAccepted(_accepted.total, total);
        uint40 acceptableAt = uint40(block.timestamp) + CHALLENGE_PERIOD;
        _pending = GrowthRoot(root, total, acceptableAt);
        emit RootProposed(root, total, throughEpoch, acceptableAt);
    }

    function vetoRoot(bytes32 root) external {
        if (msg.sender != auditor) revert NotAuditor(auditor, msg.sender);
        _requirePending(root);
        delete _pending;
        emit RootVetoed(root);
    }

    function acceptRoot(bytes32 root) external {
        _requirePending(root);
        (uint64 total, uint40 acceptableAt) = (_pending.total, _pending.acceptableAt);
        if (block.timestamp < acceptableAt) revert NotAcceptableYet(acceptableAt, block.timestamp);
        _accepted = Accepted(root, total, acceptableAt, _accepted.paid);
        delete _pending;
        emit RootAccepted(root, total);
    }

    function claimGrowth(address device, uint64 cumulative, bytes32[] calldata proof) external {
        address operator = _operatorOf(device);
        _requireEligible(device, cumulative);
        Accepted memory accepted = _accepted;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(device, uint256(cumulative)))));
        if (accepted.acceptableAt == 0 || _rootOver(leaf, proof) != accepted.root) revert NotUnderRoot(accepted.root);
        uint256 before = grownBy[device];
        if (cumulative <= before) revert NothingToClaim(device);
        uint256 paid = accepted.paid + cumulative - before;
        if (paid > accepted.total) revert RootSpent(accepted.total, paid);
        _accepted.paid = uint64(paid);
        grownBy[device] = cumulative;
        emit GrowthReward(device, operator, cumulative - before, cumulative);
        token.send(operator, cumulative - before);
    }

    function rewardOf(address device, uint256 epoch) public view returns (uint256) {
        uint256 claimed = channels.claimedFor(epoch, device);
        if (claimed == 0 || device == address(0)) return 0;
        return _usageReward(claimed, channels.claimedInEpoch(epoch), epoch, feeBasisPoints);
    }

    function isClaimed(address device, uint256 epoch) external view returns (bool) {
        return _claimed[device][epoch >> 8] >> (epoch & 0xff) & 1 == 1;
    }

    function pendingRoot() external view returns (GrowthRoot memory) {
        return _pending;
    }

    function acceptedRoot() external view returns (GrowthRoot memory) {
        return GrowthRoot(_accepted.root, _accepted.total, _accepted.acceptableAt);
    }

    function growthPaid() external view returns (uint256) {
        return _accepted.paid;
    }

    /// @dev Checked when paid, so that a wrong or stolen root cannot pay devices that nobody made or that risk nothing.
    function _requireEligible(address device, uint256 cumulative) private view {
        if (!registry.isAttested(device)) revert NotAttested(device);
        uint256 bond = registry.bondOf(device);
        if (bond < growthBond) revert BondTooSmall(growthBond, bond);
        uint256 since = registry.devices(device).registeredAt / EPOCH;
        uint256 max = maxGrowthPerEpoch * (block.timestamp / EPOCH - since);
        if (cumulative > max) revert GrantTooLarge(max, cumulative);
    }

    function _requirePending(bytes32 root) private view {
        if (_pending.acceptableAt == 0 || _pending.root != root) revert NotPending(_pending.root, root);
    }

    function _operatorOf(address device) private view returns (address operator) {
        operator = registry.operatorOf(device);
        if (operator == address(0)) revert NotBound(device);
    }

    function _rootOver(bytes32 hash, bytes32[] calldata proof) private pure returns (bytes32) {
        for (uint256 i = 0; i < proof.length; i++) {
            bytes32 other = proof[i];
            (bytes32 low, bytes32 high) = hash < other ? (hash, other) : (other, hash);
            // In scratch space: abi.encode takes new memory for each of them.
            assembly ("memory-safe") {
                mstore(0, low)
                mstore(0x20, high)
                hash := keccak256(0, 0x40)
            }
        }
        return hash;
    }
}
