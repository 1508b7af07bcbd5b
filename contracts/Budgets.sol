// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBudgets} from "./IBudgets.sol";

/// @title How much an epoch may cost, and which part of a fee comes back; the same integers as protocol/rewards.ts
/// @dev 208 * (B_0 + B_0/2 + B_0/4 + ...) < 4.5e13 units, 45 % of the supply: no counter is needed for the cap.
abstract contract Budgets is IBudgets {
    uint256 public constant EPOCH = 7 days;
    /// @notice B_0: 10.8 million SSP.
    uint256 public constant FIRST_BUDGET = 108_173_076_923;
    uint256 public constant HALVING_EPOCHS = 208;
    uint256 private constant BASIS_POINTS = 10_000;
    /// @dev kappa = 9/10.
    uint256 private constant KAPPA_NUMERATOR = 9;
    uint256 private constant KAPPA_DENOMINATOR = 10;

    uint256 public immutable firstEpoch;
    uint256 public immutable growthBasisPoints;

    constructor(uint256 firstEpoch_, uint256 growthBasisPoints_) {
        if (growthBasisPoints_ > BASIS_POINTS) revert GrowthPartTooLarge(BASIS_POINTS, growthBasisPoints_);
        firstEpoch = firstEpoch_;
        growthBasisPoints = growthBasisPoints_;
    }

    function epochBudget(uint256 epoch) public view returns (uint256) {
        return epoch < firstEpoch ? 0 : FIRST_BUDGET >> ((epoch - firstEpoch) / HALVING_EPOCHS);
    }

    function growthAllowance(uint256 throughEpoch) public view returns (uint256 allowance) {
        for (uint256 first = firstEpoch; first <= throughEpoch; first += HALVING_EPOCHS) {
            uint256 perEpoch = _growthBudget(first);
            if (perEpoch == 0) break;
            uint256 last = first + HALVING_EPOCHS - 1;
            allowance += perEpoch * ((last < throughEpoch ? last : throughEpoch) - first + 1);
        }
    }

    /// @dev R_i of a device that `claimed` units out of `claimedByAll` were claimed for, at a fee of phi.
    function _usageReward(uint256 claimed, uint256 claimedByAll, uint256 epoch, uint256 feeBasisPoints)
        internal
        view
        returns (uint256)
    {
        uint256 budget = epochBudget(epoch) - _growthBudget(epoch);
        uint256 backNumerator = feeBasisPoints * KAPPA_NUMERATOR;
        uint256 backDenominator = BASIS_POINTS * KAPPA_DENOMINATOR;
        if (claimedByAll * backNumerator <= budget * backDenominator) return claimed * backNumerator / backDenominator;
        return claimed * budget / claimedByAll;
    }

    function _growthBudget(uint256 epoch) private view returns (uint256) {
        return epochBudget(epoch) * growthBasisPoints / BASIS_POINTS;
    }
}
