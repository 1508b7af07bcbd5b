// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "./IDeviceRegistry.sol";
import {RegistryDigests} from "./RegistryDigests.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title Vendors, devices, operators and bonds; described in IDeviceRegistry
/// @dev Always: the token's balance here >= the sum of all bonds. Checks, then effects, then calls to the token.
contract DeviceRegistry is IDeviceRegistry, RegistryDigests {
    using TokenTransfer for address;

    /// @notice Longer than a router may be offline with its proofs (30 days): nobody bonds out before he is found out.
    uint40 public constant UNBONDING_DELAY = 45 days;
    uint64 public constant REPORTER_PART = 10;
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    /// @dev One word; 2^96 changes of owner are enough.
    struct Binding {
        address operator;
        uint96 nextNonce;
    }

    address public immutable registrar;
    address public immutable token;

    mapping(uint32 vendorId => Vendor) private _vendors;
    mapping(address device => Device) private _devices;
    mapping(address device => Bond) private _bonds;
    mapping(address device => Binding) private _bindings;

    constructor(address registrar_, address token_) {
        registrar = registrar_;
        token = token_;
    }

    function setVendor(uint32 vendorId, address key, uint32 quota, bool active) external {
        if (msg.sender != registrar) revert NotRegistrar(registrar, msg.sender);
        if (vendorId == 0 || key == address(0)) revert ZeroVendor();
        Vendor storage vendor = _vendors[vendorId];
        (vendor.key, vendor.quota, vendor.active) = (key, quota, active);
        emit VendorSet(vendorId, key, quota, active);
    }

    function register(
        uint32 vendorId,
        address device,
        bytes32 model,
        uint40 notAfter,
        Signature calldata vendorSignature
    ) external {
        Vendor storage vendor = _vendors[vendorId];
        if (!vendor.active) revert VendorInactive(vendorId);
        if (block.timestamp > notAfter) revert AttestationExpired(notAfter, block.timestamp);
        Device memory known = _devices[device];
        if (known.slashed) revert DeviceIsSlashed(device);
        bool isNew = known.vendorId == 0;
        if (isNew) {
            if (vendor.registered >= vendor.quota) revert QuotaUsedUp(vendor.quota);
        } else if (known.vendorId != vendorId || known.revoked || notAfter <= known.notAfter) {
            revert DeviceKnown(device);
        }
        address signedBy = _signer(_attestationDigest(vendorId, device, model, notAfter), vendorSignature);
        if (signedBy != vendor.key) revert WrongSigner(vendor.key, signedBy);
        if (isNew) vendor.registered++;
        uint40 since = isNew ? uint40(block.timestamp) : known.registeredAt;
        _devices[device] = Device(vendorId, notAfter, since, false, false);
        emit DeviceRegistered(device, vendorId, model, notAfter);
    }

    function revoke(address device) external {
        Device storage known = _devices[device];
        uint32 vendorId = known.vendorId;
        if (vendorId == 0) revert DeviceUnknown(device);
        address key = _vendors[vendorId].key;
        if (msg.sender != key && msg.sender != registrar) revert NotVendor(key, msg.sender);
        if (known.revoked) revert DeviceIsRevoked(device);
        known.revoked = true;
        _vendors[vendorId].registered--;
        emit DeviceRevoked(device, vendorId);
    }

    function bind(address device, address operator, uint256 nonce, Signature calldata deviceSignature) external {
        if (operator == address(0)) revert MissingOperator();
        uint256 expected = _bindings[device].nextNonce;
        if (nonce != expected) revert WrongNonce(expected, nonce);
        address signedBy = _signer(_bindingDigest(device, operator, nonce), deviceSignature);
        if (signedBy != device || device == address(0)) revert WrongSigner(device, signedBy);
        _bindings[device] = Binding(operator, uint96(nonce + 1));
        emit DeviceBound(device, operator, nonce);
    }

    function addBond(address device, uint64 units) external {
        if (units == 0) revert ZeroAmount();
        if (_devices[device].slashed) revert DeviceIsSlashed(device);
        Bond memory bond = _bonds[device];
        address mayBond = bond.units == 0 ? _bindings[device].operator : bond.owner;
        if (msg.sender != mayBond) revert NotBondOwner(mayBond, msg.sender);
        if (bond.leavingAt != 0) revert BondIsLeaving(bond.leavingAt);
        uint256 sum = uint256(bond.units) + units;
        if (sum > type(uint64).max) revert BondTooLarge(type(uint64).max, sum);
        _bonds[device] = Bond(msg.sender, uint64(sum), 0);
        emit Bonded(device, msg.sender, uint64(sum));
        token.pull(msg.sender, units);
    }

    function leaveBond(address device) external {
        Bond storage bond = _bonds[device];
        bool mayLeave = msg.sender == bond.owner || msg.sender == _bindings[device].operator;
        if (bond.units == 0 || !mayLeave) revert NotBondOwner(bond.owner, msg.sender);
        if (bond.leavingAt != 0) revert BondIsLeaving(bond.leavingAt);
        bond.leavingAt = uint40(block.timestamp) + UNBONDING_DELAY;
        emit BondLeaving(device, bond.leavingAt);
    }

    function returnBond(address device) external {
        Bond memory bond = _bonds[device];
        if (bond.leavingAt == 0) revert BondStays(device);
        if (block.timestamp < bond.leavingAt) revert NotLeavingYet(bond.leavingAt, block.timestamp);
        delete _bonds[device];
        emit BondReturned(device, bond.owner, bond.units);
        token.send(bond.owner, bond.units);
    }

    function slashEquivocation(
        TrafficProof calldata first,
        Signature calldata firstSignature,
        TrafficProof calldata second,
        Signature calldata secondSignature
    ) external {
        address device = first.device;
        if (device != second.device || first.epoch != second.epoch || first.seq != second.seq) {
            revert NotTheSamePlace();
        }
        bytes32 firstDigest = _proofDigest(first);
        bytes32 secondDigest = _proofDigest(second);
        if (firstDigest == secondDigest) revert TheSameProof();
        _requireSignedBy(device, _signer(firstDigest, firstSignature));
        _requireSignedBy(device, _signer(secondDigest, secondSignature));
        if (_devices[device].slashed) revert DeviceIsSlashed(device);
        _devices[device].slashed = true;
        uint64 units = _bonds[device].units;
        uint64 reward = units / REPORTER_PART;
        delete _bonds[device];
        emit DeviceSlashed(device, first.epoch, first.seq, msg.sender, units - reward);
        if (reward != 0) token.send(msg.sender, reward);
        if (units != 0) token.send(BURN_ADDRESS, units - reward);
    }

    function operatorOf(address device) external view returns (address) {
        return _bindings[device].operator;
    }

    function bindingNonce(address device) external view returns (uint256) {
        return _bindings[device].nextNonce;
    }

    function vendors(uint32 vendorId) external view returns (Vendor memory) {
        return _vendors[vendorId];
    }

    function devices(address device) external view returns (Device memory) {
        return _devices[device];
    }

    function bonds(address device) external view returns (Bond memory) {
        return _bonds[device];
    }

    function isAttested(address device) external view returns (bool) {
        Device memory known = _devices[device];
        return known.vendorId != 0 && !known.revoked && !known.slashed && block.timestamp <= known.notAfter
            && _vendors[known.vendorId].active;
    }

    function bondOf(address device) external view returns (uint256) {
        Bond memory bond = _bonds[device];
        return bond.leavingAt == 0 ? bond.units : 0;
    }

    function _requireSignedBy(address device, address signedBy) private pure {
        if (signedBy == address(0) || signedBy != device) revert WrongSigner(device, signedBy);
    }
}
