//! Which instruction set runs: the best one of this machine, or a lesser one that is asked for.
//!
//! Maths: none.
//! Shapes: none.
//! Cost: a look at the processor's features.
//! Checked: `mckean verify` on every set that the machine has.

/// Instruction set chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// 512-bit registers.
    Avx512,
    /// 256-bit registers with fused multiply-add.
    Avx2,
    /// Whatever the compiler makes of plain arrays.
    Portable,
}

impl Isa {
    /// The best set this machine has; `MCKEAN_ISA=avx512|avx2|portable` asks for a lesser one.
    pub fn detect() -> Isa {
        let best = Isa::best();
        match std::env::var("MCKEAN_ISA").as_deref() {
            Ok("portable") => Isa::Portable,
            Ok("avx2") if best != Isa::Portable => Isa::Avx2,
            _ => best,
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn best() -> Isa {
        use std::arch::is_x86_feature_detected as has;
        match () {
            _ if has!("avx512f") && has!("avx512dq") && has!("avx512vl") && has!("fma") => Isa::Avx512,
            _ if has!("avx2") && has!("fma") => Isa::Avx2,
            _ => Isa::Portable,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn best() -> Isa {
        Isa::Portable
    }

    /// Name for manifests and tables.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }
}
