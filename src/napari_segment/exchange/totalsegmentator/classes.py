"""Names of TotalSegmentator's classes, in the order of their numbers."""

from __future__ import annotations

_SPINE = (
    *(f"vertebrae_L{i}" for i in range(5, 0, -1)),
    *(f"vertebrae_T{i}" for i in range(12, 0, -1)),
    *(f"vertebrae_C{i}" for i in range(7, 0, -1)),
)
_ABDOMEN = (
    "spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach", "pancreas",
    "adrenal_gland_right", "adrenal_gland_left",
)  # fmt: skip
_ILIAC = ("iliac_artery_left", "iliac_artery_right", "iliac_vena_left", "iliac_vena_right")
_LIMBS = (
    "humerus_left", "humerus_right", "scapula_left", "scapula_right", "clavicula_left",
    "clavicula_right", "femur_left", "femur_right", "hip_left", "hip_right",
)  # fmt: skip
_MUSCLES = (
    "gluteus_maximus_left", "gluteus_maximus_right", "gluteus_medius_left",
    "gluteus_medius_right", "gluteus_minimus_left", "gluteus_minimus_right", "autochthon_left",
    "autochthon_right", "iliopsoas_left", "iliopsoas_right",
)  # fmt: skip

# Of computed tomography: numbers 1 to 117, in the five parts that are networks of their own.
ORGANS = (
    *_ABDOMEN, "lung_upper_lobe_left", "lung_lower_lobe_left", "lung_upper_lobe_right",
    "lung_middle_lobe_right", "lung_lower_lobe_right", "esophagus", "trachea", "thyroid_gland",
    "small_bowel", "duodenum", "colon", "urinary_bladder", "prostate", "kidney_cyst_left",
    "kidney_cyst_right",
)  # fmt: skip
VERTEBRAE = ("sacrum", "vertebrae_S1", *_SPINE)
CARDIAC = (
    "heart", "aorta", "pulmonary_vein", "brachiocephalic_trunk", "subclavian_artery_right",
    "subclavian_artery_left", "common_carotid_artery_right", "common_carotid_artery_left",
    "brachiocephalic_vein_left", "brachiocephalic_vein_right", "atrial_appendage_left",
    "superior_vena_cava", "inferior_vena_cava", "portal_vein_and_splenic_vein", *_ILIAC,
)  # fmt: skip
MUSCLES = (*_LIMBS, "spinal_cord", *_MUSCLES, "brain", "skull")
RIBS = (
    *(f"rib_{side}_{i}" for side in ("left", "right") for i in range(1, 13)),
    "sternum", "costal_cartilages",
)  # fmt: skip

# Of magnetic resonance imaging: numbers 1 to 50, in two parts.
MR_ORGANS = (
    *_ABDOMEN, "lung_left", "lung_right", "esophagus", "small_bowel", "duodenum", "colon",
    "urinary_bladder", "prostate", "sacrum", "vertebrae", "intervertebral_discs", "spinal_cord",
    "heart", "aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein", *_ILIAC,
)  # fmt: skip
MR_MUSCLES = (*_LIMBS, *_MUSCLES, "brain")

VERTEBRAE_MR = ("sacrum", *_SPINE)
BODY = ("body_trunc", "body_extremities")
BONES = (
    "patella", "tibia", "fibula", "tarsal", "metatarsal", "phalanges_feet", "ulna", "radius",
    "carpal", "metacarpal", "phalanges_hand",
)  # fmt: skip
TISSUES = ("subcutaneous_fat", "torso_fat", "skeletal_muscle")
