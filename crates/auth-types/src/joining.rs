//! Which characters a joiner changes: viramas, and letters that are written joined to their neighbours.

use crate::ranges::is_in;

/// `Canonical_Combining_Class=Virama` of Unicode 16. A joiner behind one chooses how the consonant is written, whatever follows
/// (RFC 5892, appendix A.1 and A.2): behind `ന്` it makes the letter `ൻ` of Malayalam, as written before Unicode 5.1.
const VIRAMAS: [(u32, u32); 58] = [
    (0x094d, 0x094d),
    (0x09cd, 0x09cd),
    (0x0a4d, 0x0a4d),
    (0x0acd, 0x0acd),
    (0x0b4d, 0x0b4d),
    (0x0bcd, 0x0bcd),
    (0x0c4d, 0x0c4d),
    (0x0ccd, 0x0ccd),
    (0x0d3b, 0x0d3c),
    (0x0d4d, 0x0d4d),
    (0x0dca, 0x0dca),
    (0x0e3a, 0x0e3a),
    (0x0eba, 0x0eba),
    (0x0f84, 0x0f84),
    (0x1039, 0x103a),
    (0x1714, 0x1715),
    (0x1734, 0x1734),
    (0x17d2, 0x17d2),
    (0x1a60, 0x1a60),
    (0x1b44, 0x1b44),
    (0x1baa, 0x1bab),
    (0x1bf2, 0x1bf3),
    (0x2d7f, 0x2d7f),
    (0xa806, 0xa806),
    (0xa82c, 0xa82c),
    (0xa8c4, 0xa8c4),
    (0xa953, 0xa953),
    (0xa9c0, 0xa9c0),
    (0xaaf6, 0xaaf6),
    (0xabed, 0xabed),
    (0x0001_0a3f, 0x0001_0a3f),
    (0x0001_1046, 0x0001_1046),
    (0x0001_1070, 0x0001_1070),
    (0x0001_107f, 0x0001_107f),
    (0x0001_10b9, 0x0001_10b9),
    (0x0001_1133, 0x0001_1134),
    (0x0001_11c0, 0x0001_11c0),
    (0x0001_1235, 0x0001_1235),
    (0x0001_12ea, 0x0001_12ea),
    (0x0001_134d, 0x0001_134d),
    (0x0001_13ce, 0x0001_13d0),
    (0x0001_1442, 0x0001_1442),
    (0x0001_14c2, 0x0001_14c2),
    (0x0001_15bf, 0x0001_15bf),
    (0x0001_163f, 0x0001_163f),
    (0x0001_16b6, 0x0001_16b6),
    (0x0001_172b, 0x0001_172b),
    (0x0001_1839, 0x0001_1839),
    (0x0001_193d, 0x0001_193e),
    (0x0001_19e0, 0x0001_19e0),
    (0x0001_1a34, 0x0001_1a34),
    (0x0001_1a47, 0x0001_1a47),
    (0x0001_1a99, 0x0001_1a99),
    (0x0001_1c3f, 0x0001_1c3f),
    (0x0001_1d44, 0x0001_1d45),
    (0x0001_1d97, 0x0001_1d97),
    (0x0001_1f41, 0x0001_1f42),
    (0x0001_612f, 0x0001_612f),
];

/// `Joining_Type` dual or left: letters that join the next one. The marks of their scripts are among them, because such a letter may
/// have one before the joiner.
const JOINING_NEXT: [(u32, u32); 92] = [
    (0x0610, 0x061a),
    (0x0620, 0x0620),
    (0x0626, 0x0626),
    (0x0628, 0x0628),
    (0x062a, 0x062e),
    (0x0633, 0x063f),
    (0x0641, 0x0647),
    (0x0649, 0x065f),
    (0x066e, 0x0670),
    (0x0678, 0x0687),
    (0x069a, 0x06bf),
    (0x06c1, 0x06c2),
    (0x06cc, 0x06cc),
    (0x06ce, 0x06ce),
    (0x06d0, 0x06d1),
    (0x06d6, 0x06dc),
    (0x06df, 0x06e4),
    (0x06e7, 0x06e8),
    (0x06ea, 0x06ed),
    (0x06fa, 0x06fc),
    (0x06ff, 0x06ff),
    (0x0711, 0x0714),
    (0x071a, 0x071d),
    (0x071f, 0x0727),
    (0x0729, 0x0729),
    (0x072b, 0x072b),
    (0x072d, 0x072e),
    (0x0730, 0x074a),
    (0x074e, 0x0758),
    (0x075c, 0x076a),
    (0x076d, 0x0770),
    (0x0772, 0x0772),
    (0x0775, 0x0777),
    (0x077a, 0x077f),
    (0x07ca, 0x07f3),
    (0x07fd, 0x07fd),
    (0x0841, 0x0845),
    (0x0848, 0x0848),
    (0x084a, 0x0853),
    (0x0855, 0x0855),
    (0x0859, 0x085b),
    (0x0860, 0x0860),
    (0x0862, 0x0865),
    (0x0868, 0x0868),
    (0x0886, 0x0886),
    (0x0889, 0x088d),
    (0x088f, 0x088f),
    (0x0897, 0x08a9),
    (0x08af, 0x08b0),
    (0x08b3, 0x08b8),
    (0x08ba, 0x08c8),
    (0x08ca, 0x08e1),
    (0x08e3, 0x08ff),
    (0x1807, 0x1807),
    (0x1820, 0x1878),
    (0x1885, 0x18aa),
    (0x1dfa, 0x1dfa),
    (0xa840, 0xa872),
    (0x0001_0ac0, 0x0001_0ac4),
    (0x0001_0acd, 0x0001_0acd),
    (0x0001_0ad3, 0x0001_0adc),
    (0x0001_0ade, 0x0001_0ae0),
    (0x0001_0ae5, 0x0001_0ae6),
    (0x0001_0aeb, 0x0001_0aee),
    (0x0001_0b80, 0x0001_0b80),
    (0x0001_0b82, 0x0001_0b82),
    (0x0001_0b86, 0x0001_0b88),
    (0x0001_0b8a, 0x0001_0b8b),
    (0x0001_0b8d, 0x0001_0b8d),
    (0x0001_0b90, 0x0001_0b90),
    (0x0001_0bad, 0x0001_0bae),
    (0x0001_0d00, 0x0001_0d21),
    (0x0001_0d23, 0x0001_0d27),
    (0x0001_0ec3, 0x0001_0ec4),
    (0x0001_0ec6, 0x0001_0ec7),
    (0x0001_0ecb, 0x0001_0ecf),
    (0x0001_0ed9, 0x0001_0eee),
    (0x0001_0ef0, 0x0001_0eff),
    (0x0001_0f30, 0x0001_0f32),
    (0x0001_0f34, 0x0001_0f44),
    (0x0001_0f46, 0x0001_0f53),
    (0x0001_0f70, 0x0001_0f73),
    (0x0001_0f76, 0x0001_0f85),
    (0x0001_0fb0, 0x0001_0fb0),
    (0x0001_0fb2, 0x0001_0fb3),
    (0x0001_0fb8, 0x0001_0fb8),
    (0x0001_0fbb, 0x0001_0fbc),
    (0x0001_0fbe, 0x0001_0fbf),
    (0x0001_0fc1, 0x0001_0fc1),
    (0x0001_0fc4, 0x0001_0fc4),
    (0x0001_0fca, 0x0001_0fcb),
    (0x0001_e900, 0x0001_e94b),
];

/// `Joining_Type` dual or right: letters that join the one before.
const JOINING_PREVIOUS: [(u32, u32); 49] = [
    (0x0620, 0x0620),
    (0x0622, 0x063f),
    (0x0641, 0x064a),
    (0x066e, 0x066f),
    (0x0671, 0x0673),
    (0x0675, 0x06d3),
    (0x06d5, 0x06d5),
    (0x06ee, 0x06ef),
    (0x06fa, 0x06fc),
    (0x06ff, 0x06ff),
    (0x0710, 0x0710),
    (0x0712, 0x072f),
    (0x074d, 0x077f),
    (0x07ca, 0x07ea),
    (0x0840, 0x0858),
    (0x0860, 0x0860),
    (0x0862, 0x0865),
    (0x0867, 0x086a),
    (0x0870, 0x0882),
    (0x0886, 0x0886),
    (0x0889, 0x088f),
    (0x08a0, 0x08ac),
    (0x08ae, 0x08c8),
    (0x1807, 0x1807),
    (0x1820, 0x1878),
    (0x1887, 0x18a8),
    (0x18aa, 0x18aa),
    (0xa840, 0xa871),
    (0x0001_0ac0, 0x0001_0ac5),
    (0x0001_0ac7, 0x0001_0ac7),
    (0x0001_0ac9, 0x0001_0aca),
    (0x0001_0ace, 0x0001_0ad6),
    (0x0001_0ad8, 0x0001_0ae1),
    (0x0001_0ae4, 0x0001_0ae4),
    (0x0001_0aeb, 0x0001_0aef),
    (0x0001_0b80, 0x0001_0b91),
    (0x0001_0ba9, 0x0001_0bae),
    (0x0001_0d01, 0x0001_0d23),
    (0x0001_0ec2, 0x0001_0ec4),
    (0x0001_0ec6, 0x0001_0ec7),
    (0x0001_0f30, 0x0001_0f44),
    (0x0001_0f51, 0x0001_0f54),
    (0x0001_0f70, 0x0001_0f81),
    (0x0001_0fb0, 0x0001_0fb0),
    (0x0001_0fb2, 0x0001_0fb6),
    (0x0001_0fb8, 0x0001_0fbf),
    (0x0001_0fc1, 0x0001_0fc4),
    (0x0001_0fc9, 0x0001_0fca),
    (0x0001_e900, 0x0001_e943),
];

pub(crate) fn is_virama(c: char) -> bool {
    is_in(&VIRAMAS, c)
}

pub(crate) fn joins_next(c: char) -> bool {
    is_in(&JOINING_NEXT, c)
}

pub(crate) fn joins_previous(c: char) -> bool {
    is_in(&JOINING_PREVIOUS, c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_properties::props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, JoiningType, Script,
    };
    use icu_properties::script::ScriptWithExtensions;
    use icu_properties::{CodePointMapData, CodePointSetData};

    #[test]
    fn the_tables_are_those_of_unicode() {
        let types = CodePointMapData::<JoiningType>::new();
        let classes = CodePointMapData::<CanonicalCombiningClass>::new();
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let categories = CodePointMapData::<GeneralCategory>::new();
        let scripts = CodePointMapData::<Script>::new();
        let extensions = ScriptWithExtensions::new();
        let letter_joins_next = |c| matches!(types.get(c), JoiningType::DualJoining | JoiningType::LeftJoining);
        let letter_joins_previous = |c| matches!(types.get(c), JoiningType::DualJoining | JoiningType::RightJoining);
        let mut cursive: Vec<_> =
            ('\0'..=char::MAX).filter(|c| letter_joins_next(*c)).map(|c| scripts.get(c)).collect();
        cursive.dedup();
        let is_cursive_mark = |c| {
            types.get(c) == JoiningType::Transparent
                && !ignorable.contains(c)
                && categories.get(c) != GeneralCategory::Format
                && extensions.get_script_extensions_val(c).iter().all(|script| cursive.contains(&script))
        };
        for c in '\0'..=char::MAX {
            let code = u32::from(c);
            assert_eq!(is_virama(c), classes.get(c) == CanonicalCombiningClass::Virama, "U+{code:04X}");
            assert_eq!(joins_next(c), letter_joins_next(c) || is_cursive_mark(c), "U+{code:04X}");
            assert_eq!(joins_previous(c), letter_joins_previous(c), "U+{code:04X}");
        }
    }
}
