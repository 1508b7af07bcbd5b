// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title What payees have earned and not yet taken out, and the fee on it
/// What devices were paid is kept by epoch: rewards are worked out from it.
/// @dev The fee is taken at the withdrawal, rounded up once from the whole amount: rounding it in every claim would
/// cost more, in units and in gas. Nothing leaves without it, so putting off a withdrawal gains nothing.
abstract contract Earnings is IShareChannels {
    using TokenTransfer for address;

    uint256 private constant BASIS_POINTS = 10_000;
    uint256 public constant MAX_FEE_BASIS_POINTS = 2_000;
    /// @notice The real SSP has no burn function, so its fees go where no key is known.
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @notice Seconds of an epoch of rewards; epochs count from 1970.
    uint256 public constant EPOCH = 7 days;

    address public immutable token;
    uint256 public immutable feeBasisPoints;

    mapping(address payee => uint256 units) public earned;
    uint256 public feePot;
    mapping(uint256 epoch => mapping(address device => uint256 units)) private _claimedFor;
    mapping(uint256 epoch => uint256 units) public claimedInEpoch;

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

    function claimedFor(uint256 epoch, address device) external view returns (uint256) {
        return _claimedFor[epoch][device];
    }

    /// @dev To the payee, and to the device's account of the week, which ShareRewards reads. Tokens do not move.
    function _book(address payee, address device, uint256 units) internal {
        if (units == 0) return;
        earned[payee] += units;
        if (device == address(0)) return;
        uint256 epoch = block.timestamp / EPOCH;
        _claimedFor[epoch][device] += units;
        claimedInEpoch[epoch] += units;
    }
}
