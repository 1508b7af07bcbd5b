// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who made a router, who earns with it, and what it stands to lose
/// @notice Vendors attest device keys, devices name their operators, bonds back devices, and whoever shows two different
/// traffic proofs of one device for the same (epoch, seq) has its bond burned.
/// @dev Digests are EIP-712 under {name "SSP DeviceRegistry", version "1"}; the same as protocol/vendor-attestation.ts,
/// device-binding.ts and traffic-proof.ts. The registrar names vendors; it touches no bond, no binding, no deposit.
interface IDeviceRegistry {
    struct Signature {
        bytes32 r;
        bytes32 vs;
    }

    /// @param key signs attestations
    /// @param quota devices it may have registered at a time
    /// @param registered devices it has
    /// @param active false: none of its devices counts as attested
    struct Vendor {
        address key;
        uint32 quota;
        uint32 registered;
        bool active;
    }

    /// @param vendorId 0: not attested
    /// @param notAfter Unix seconds until which the attestation says something
    /// @param registeredAt Unix seconds since which the device is attested
    struct Device {
        uint32 vendorId;
        uint40 notAfter;
        uint40 registeredAt;
        bool revoked;
        bool slashed;
    }

    /// @param owner whose tokens they are
    /// @param units bonded
    /// @param leavingAt Unix seconds from which they may be taken out; 0 while they stay
    struct Bond {
        address owner;
        uint64 units;
        uint40 leavingAt;
    }

    /// @dev The words of TrafficProof in the order of its type; sessions, bytes and clock mean nothing here.
    struct TrafficProof {
        address device;
        uint32 epoch;
        uint32 seq;
        uint40 startS;
        uint40 endS;
        uint64 bytesUp;
        uint64 bytesDown;
        uint64 paid;
        bytes32 sessionsRoot;
        bytes32 prev;
        uint8 clockState;
    }

    event VendorSet(uint32 indexed vendorId, address key, uint32 quota, bool active);
    event DeviceRegistered(address indexed device, uint32 indexed vendorId, bytes32 model, uint40 notAfter);
    event DeviceRevoked(address indexed device, uint32 indexed vendorId);
    event DeviceBound(address indexed device, address indexed operator, uint256 nonce);
    event Bonded(address indexed device, address indexed owner, uint64 units);
    event BondLeaving(address indexed device, uint40 leavingAt);
    event BondReturned(address indexed device, address indexed owner, uint64 units);
    event DeviceSlashed(address indexed device, uint32 epoch, uint32 seq, address indexed reporter, uint64 burned);

    error NotRegistrar(address registrar, address got);
    error NotVendor(address key, address got);
    error ZeroVendor();
    error VendorInactive(uint32 vendorId);
    error QuotaUsedUp(uint256 quota);
    error AttestationExpired(uint256 notAfter, uint256 time);
    error DeviceKnown(address device);
    error DeviceUnknown(address device);
    error DeviceIsRevoked(address device);
    error DeviceIsSlashed(address device);
    error WrongSigner(address expected, address got);
    error WrongNonce(uint256 expected, uint256 got);
    error MissingOperator();
    error ZeroAmount();
    error BondTooLarge(uint256 max, uint256 got);
    error NotBondOwner(address owner, address got);
    error BondStays(address device);
    error BondIsLeaving(uint256 leavingAt);
    error NotLeavingYet(uint256 leavingAt, uint256 time);
    error NotTheSamePlace();
    error TheSameProof();

    /// @notice Names a vendor, changes its key or quota, or makes it inactive. By the registrar.
    function setVendor(uint32 vendorId, address key, uint32 quota, bool active) external;

    /// @notice Enters a device under its vendor's VendorAttestation(vendorId, device, model, notAfter). By anyone. With a
    ///         later notAfter of the same vendor's again: the attestation then ends later, and nothing else changes.
    function register(
        uint32 vendorId,
        address device,
        bytes32 model,
        uint40 notAfter,
        Signature calldata vendorSignature
    ) external;

    /// @notice Takes an attestation back for ever. By the vendor's key or the registrar.
    function revoke(address device) external;

    /// @notice Names whom a device earns for, under its DeviceBinding(device, operator, nonce). By anyone; attested or not.
    /// @param nonce what bindingNonce says: an old binding cannot come back
    function bind(address device, address operator, uint256 nonce, Signature calldata deviceSignature) external;

    /// @notice Adds to a device's bond with tokens approved to this contract. One owner a device: whoever it is bound to at
    ///         the first bond, until that bond has left.
    function addBond(address device, uint64 units) external;

    /// @notice The owner wants the bond back, or the device's operator wants room for his own: it counts no more, and stays
    ///         slashable for UNBONDING_DELAY.
    function leaveBond(address device) external;

    /// @notice By anyone: pays a bond back to its owner once it may leave.
    function returnBond(address device) external;

    /// @notice Burns the bond of a device that signed two different proofs for one (epoch, seq); a tenth is the
    /// reporter's. The device is never attested again. By anyone, once.
    function slashEquivocation(
        TrafficProof calldata first,
        Signature calldata firstSignature,
        TrafficProof calldata second,
        Signature calldata secondSignature
    ) external;

    function registrar() external view returns (address);
    function token() external view returns (address);
    /// @notice Zero if never bound.
    function operatorOf(address device) external view returns (address);
    /// @notice Nonce of the device's next binding.
    function bindingNonce(address device) external view returns (uint256);
    function vendors(uint32 vendorId) external view returns (Vendor memory);
    function devices(address device) external view returns (Device memory);
    function bonds(address device) external view returns (Bond memory);
    /// @notice True while registered, within notAfter, neither revoked nor slashed, and the vendor active.
    function isAttested(address device) external view returns (bool);
    /// @notice Units that back the device: 0 while leaving.
    function bondOf(address device) external view returns (uint256);
}
