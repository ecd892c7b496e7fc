(** * Theorem A: A+ and A- agree on every invariant of three neighbours (nu <= 3), whatever the ring

    It is the lifting theorem for k = 2.  Its hypothesis holds for every ring: shifting the mirrored pair
    (-p, -q) by p + q gives (q, p), so the mirrored ring has the same ordered pairs in the other order. *)

Require Import Reals Lra List Permutation Arith Lia ZArith.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings Congruence CyclicRings.
Open Scope R_scope.

Lemma every_ring_has_mirror_pairs angles : mirror_decks 2 angles.
Proof.
  intros m L g [shift _].
  destruct m as [|[|[|m]]]; [reflexivity | | | lia]; simpl.
  - apply lsum_ext; intros p _. rewrite <- (shift (2 * p) [- p]); simpl. f_equal. f_equal. ring.
  - rewrite lsum_exchange. apply lsum_ext; intros q _. apply lsum_ext; intros p _.
    rewrite <- (shift (p + q) [- p; - q]); simpl. f_equal. f_equal; [ring | f_equal; ring].
Qed.

(** One, two or three neighbours, as lists: any labels, any number of atoms on the axis. *)
Theorem theorem_A_lists {label : Type} (ring_label : label) r z psi angles heights n f :
  (n <= 3)%nat -> invariant f ->
  tsum n f (two_rings ring_label r z psi angles heights) =
  tsum n f (two_rings ring_label r z psi angles (map negate heights)).
Proof. intros. apply (lifting_up_to _ _ _ _ _ _ 2); trivial. apply every_ring_has_mirror_pairs. Qed.

(** Three labelled neighbours and one axis atom, as the paper draws it. *)
Theorem theorem_A {label : Type} (ring_label axis_label : label) (r z1 z2 psi : R) (angles : list R)
    (f : atom -> atom -> atom -> R) :
  (forall M, rotation M -> forall x y w, f (move M x) (move M y) (move M w) = f x y w) ->
  let sum3 X := lsum (fun x => lsum (fun y => lsum (fun w => f x y w) X) X) X in
  sum3 (two_rings ring_label r z1 psi angles [(axis_label, z2)]) =
  sum3 (two_rings ring_label r z1 psi angles [(axis_label, - z2)]).
Proof.
  intros inv sum3.
  set (g := fun t : list (@atom label) => match t with [x; y; w] => f x y w | _ => 0 end).
  assert (E : forall X, sum3 X = tsum 3 g X) by reflexivity.
  rewrite !E. apply (theorem_A_lists ring_label r z1 psi angles [(axis_label, z2)] 3 g); [lia|].
  intros M t H. destruct t as [|x [|y [|w [|v t]]]]; simpl; trivial. apply inv, H.
Qed.

(** The same without labels: a function of three vectors. *)
Theorem theorem_A_vectors (r z1 z2 psi : R) (angles : list R) (f : vec -> vec -> vec -> R) :
  (forall M, rotation M -> forall x y w, f (app M x) (app M y) (app M w) = f x y w) ->
  let atoms h := map snd (two_rings tt r z1 psi angles [(tt, h)]) in
  let sum3 X := lsum (fun x => lsum (fun y => lsum (fun w => f x y w) X) X) X in
  sum3 (atoms z2) = sum3 (atoms (- z2)).
Proof.
  intros inv atoms sum3.
  assert (E : forall h, sum3 (atoms h) =
    let X := two_rings tt r z1 psi angles [(tt, h)] in
    lsum (fun x => lsum (fun y => lsum (fun w => f (snd x) (snd y) (snd w)) X) X) X).
  { intro h. unfold sum3, atoms. cbv zeta. rewrite lsum_map. apply lsum_ext; intros x _.
    rewrite lsum_map. apply lsum_ext; intros y _. rewrite lsum_map. reflexivity. }
  rewrite !E. apply (theorem_A tt tt r z1 z2 psi angles (fun x y w => f (snd x) (snd y) (snd w))).
  intros M H x y w. apply inv, H.
Qed.

(** ** A concrete pair that is not congruent: the ring 0, 60, 180 degrees *)

Definition scalene : list Z := [0; 1; 3]%Z.
Definition ring6 : list R := cyclic_ring 6 scalene.

Lemma ring6_chiral : ~ achiral ring6.
Proof. apply chiral_by_computation; [lia|]. vm_compute. reflexivity. Qed.

Theorem scalene_pair {label : Type} (ring_label axis_label : label) r z1 z2 psi :
  r <> 0 -> z1 <> 0 -> z2 <> 0 -> axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1 ->
  let plus := two_rings ring_label r z1 psi ring6 [(axis_label, z2)] in
  let minus := two_rings ring_label r z1 psi ring6 [(axis_label, - z2)] in
  ~ congruent plus minus /\ (mirror_congruent plus minus <-> exists k : Z, psi = IZR k * PI).
Proof.
  intros Hr Hz1 Hz2 Hd plus minus. unfold plus, minus. split.
  - intro H. apply ring6_chiral. revert H. apply congruent_iff_achiral; trivial.
  - rewrite mirror_congruent_iff_symmetric by trivial. unfold ring6.
    rewrite no_turns_by_computation; [| lia | discriminate | vm_compute; reflexivity].
    rewrite same_direction_iff. split; intros [k H]; exists k; lra.
Qed.

(** Seven neighbours of one species, r = 1, z1 = 1, z2 = 2, psi = 30 degrees: no isometry relates the two,
    proper or not, although all their invariants of three neighbours agree. *)
Corollary seven_neighbours_one_species :
  let plus := two_rings 5%nat 1 1 (PI / 6) ring6 [(5%nat, 2)] in
  let minus := two_rings 5%nat 1 1 (PI / 6) ring6 [(5%nat, -2)] in
  length plus = 7%nat /\
  (forall n f, (n <= 3)%nat -> invariant f -> tsum n f plus = tsum n f minus) /\
  ~ congruent plus minus /\ ~ mirror_congruent plus minus.
Proof.
  intros plus minus.
  destruct (scalene_pair 5%nat 5%nat 1 1 2 (PI / 6)) as [C M]; try lra.
  split; [reflexivity|]. split; [|split].
  - intros n f L H. apply (theorem_A_lists 5%nat 1 1 (PI / 6) ring6 [(5%nat, 2)] n f L H).
  - exact C.
  - intro H. apply M in H as [k H]. pose proof PI_RGT_0 as P.
    assert (E : 6 * IZR k = 1).
    { apply (Rmult_eq_reg_r PI); lra. }
    rewrite <- mult_IZR in E. apply eq_IZR in E. lia.
Qed.

Print Assumptions theorem_A_lists.
Print Assumptions theorem_A.
Print Assumptions theorem_A_vectors.
Print Assumptions scalene_pair.
Print Assumptions seven_neighbours_one_species.
