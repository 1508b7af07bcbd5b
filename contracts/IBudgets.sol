// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What an epoch of rewards may cost
interface IBudgets {
    error GrowthPartTooLarge(uint256 maxBasisPoints, uint256 got);

    /// @notice B_e: 0 before the first epoch, halved every 208 epochs.
    function epochBudget(uint256 epoch) external view returns (uint256);
    /// @notice What growth may have cost by the end of an epoch.
    function growthAllowance(uint256 throughEpoch) external view returns (uint256);
}
