// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBudgets} from "./IBudgets.sol";

/// @title Proof of share: part of the fee on what guests paid comes back to who carried their traffic
/// @notice Usage stream: R_i = f_i * min(kappa, B_e / sum f) with f_i = phi * P_i, where P_i is what ShareChannels booked for
/// device i in epoch e. It is always less than the fee that the payee has lost or will lose when he withdraws, so paying
/// oneself is a loss, and it is linear, so splitting oneself into many changes nothing. No oracle, no owner.
/// Growth stream, if `growthBasisPoints` was not 0 at deployment: a part of each budget for attested and bonded devices, by
/// a Merkle root of cumulative grants that stands 24 hours open to the auditor's veto.
/// @dev Paid out of the tokens this contract holds (45 % of the supply on the real chain): what is not claimed, and what
/// rounding leaves, stays. All budgets together are below 4.5e13 units. The same integers as protocol/rewards.ts.
interface IShareRewards is IBudgets {
    /// @param publisher proposes roots
    /// @param auditor may veto a root within 24 hours; pays nothing out and takes nothing
    /// @param basisPoints part of each epoch's budget; 0: no growth stream, for ever
    /// @param maxPerEpoch most units a device is granted for each epoch since it was registered
    /// @param bond units a device must have bonded in the registry when it is paid
    struct GrowthTerms {
        address publisher;
        address auditor;
        uint16 basisPoints;
        uint64 maxPerEpoch;
        uint64 bond;
    }

    /// @param root over keccak256(keccak256(abi.encode(device, cumulative))), pairs sorted
    /// @param total most that all grants ever may have cost under this root
    /// @param acceptableAt Unix seconds; 0: there is none
    struct GrowthRoot {
        bytes32 root;
        uint64 total;
        uint40 acceptableAt;
    }

    event UsageReward(address indexed device, uint256 indexed epoch, address indexed operator, uint256 units);
    event RootProposed(bytes32 indexed root, uint256 total, uint256 throughEpoch, uint256 acceptableAt);
    event RootVetoed(bytes32 indexed root);
    event RootAccepted(bytes32 indexed root, uint256 total);
    event GrowthReward(address indexed device, address indexed operator, uint256 units, uint256 cumulative);

    error NotBound(address device);
    error EpochBeforeFirst(uint256 firstEpoch, uint256 got);
    error EpochNotOver(uint256 current, uint256 got);
    error NothingToClaim(address device);
    error NoGrowthStream();
    error NotPublisher(address publisher, address got);
    error NotAuditor(address auditor, address got);
    error TotalAboveAllowance(uint256 allowance, uint256 got);
    error TotalBelowAccepted(uint256 accepted, uint256 got);
    error NotPending(bytes32 pending, bytes32 got);
    error NotAcceptableYet(uint256 acceptableAt, uint256 time);
    error NotAttested(address device);
    error BondTooSmall(uint256 required, uint256 got);
    error GrantTooLarge(uint256 max, uint256 got);
    error NotUnderRoot(bytes32 root);
    error RootSpent(uint256 total, uint256 got);

    /// @notice Pays a device's rewards of finished epochs to its operator. By anyone; epochs without any, or claimed
    /// already, are passed over.
    function claimUsage(address device, uint256[] calldata epochs) external;

    /// @notice Proposes the grants that include those of `throughEpoch`. By the publisher; replaces a pending proposal.
    function proposeRoot(bytes32 root, uint64 total, uint256 throughEpoch) external;

    /// @notice Takes a pending proposal away. By the auditor.
    function vetoRoot(bytes32 root) external;

    /// @notice Makes a proposal the one that grants are paid under, 24 hours after it was made. By anyone.
    function acceptRoot(bytes32 root) external;

    /// @notice Pays a device's operator what the accepted root grants beyond what was paid. By anyone.
    function claimGrowth(address device, uint64 cumulative, bytes32[] calldata proof) external;

    /// @notice Usage reward of a device for an epoch, claimed or not; final once the epoch is over.
    function rewardOf(address device, uint256 epoch) external view returns (uint256);
    function isClaimed(address device, uint256 epoch) external view returns (bool);
    /// @notice What growth has cost.
    function growthPaid() external view returns (uint256);
    /// @notice What a device has been paid from the growth stream, ever.
    function grownBy(address device) external view returns (uint256);
    function pendingRoot() external view returns (GrowthRoot memory);
    function acceptedRoot() external view returns (GrowthRoot memory);
}
