// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title What payees have earned and not yet taken out, and the fee on it
/// @dev The fee is taken at the withdrawal, rounded up once from the whole amount: rounding it in every claim would
/// cost more, in units and in gas. Nothing leaves without it, so putting off a withdrawal gains nothing.
abstract contract Earnings is IShareChannels {
    using TokenTransfer for address;

    uint256 private constant BASIS_POINTS = 10_000;
    uint256 public constant MAX_FEE_BASIS_POINTS = 2_000;
    /// @notice The real SSP has no burn function, so its fees go where no key is known.
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    address public immutable token;
    uint256 public immutable feeBasisPoints;

    mapping(address payee => uint256 units) public earned;
    uint256 public feePot;

    constructor(address token_, uint256 feeBasisPoints_) {
        if (token_.code.length == 0) revert NotAToken(token_);
        if (feeBasisPoints_ > MAX_FEE_BASIS_POINTS) revert FeeTooHigh(MAX_FEE_BASIS_POINTS, feeBasisPoints_);
        token = token_;
        feeBasisPoints = feeBasisPoints_;
    }

    function withdraw(address payee) external {
        uint256 amount = earned[payee];
        if (amount == 0) revert NothingToWithdraw(payee);
        uint256 feeRoundedUp = (amount * feeBasisPoints + BASIS_POINTS - 1) / BASIS_POINTS;
        earned[payee] = 0;
        if (feeRoundedUp != 0) feePot += feeRoundedUp;
        emit Withdrawn(payee, amount - feeRoundedUp, feeRoundedUp);
        token.send(payee, amount - feeRoundedUp);
    }

    function burnFees() external {
        uint256 amount = feePot;
        if (amount == 0) revert NothingToBurn();
        feePot = 0;
        emit FeesBurned(amount);
        token.send(BURN_ADDRESS, amount);
    }

    function canWithdraw(address payee) external view returns (bool) {
        return earned[payee] != 0;
    }

    function canBurnFees() external view returns (bool) {
        return feePot != 0;
    }
}
