(** * From SO(3) to O(3): restoring inversion symmetry after the nonlinearity

    Inversion maps the even and odd features of a pair (e, o) to (e, -o).  Summing any function over this
    flip of the whole odd vector keeps all information up to inversion, already for functions of degree two;
    flipping the components separately, or dropping the odd ones before the nonlinearity, does not. *)

Require Import Reals Lra List Permutation Arith Lia.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums CentralTheorem PooledFeatures.
Open Scope R_scope.

(** ** One pair: the orbits of the flip *)

Definition symmetrised (phi : list R -> list R -> R) (e o : list R) : R := phi e o + phi e (map Ropp o).

Lemma nth_opp i o : nth i (map Ropp o) 0 = - nth i o 0.
Proof. rewrite <- (map_nth Ropp o 0 i), Ropp_0. reflexivity. Qed.

(** Equal products o_i o_j determine the vector up to one sign. *)
Lemma products_determine_up_to_sign (o o' : list R) :
  length o = length o' ->
  (forall i j, nth i o 0 * nth j o 0 = nth i o' 0 * nth j o' 0) -> o = o' \/ o = map Ropp o'.
Proof.
  intros L H.
  assert (ext : forall s, (forall i, nth i o 0 = s * nth i o' 0) -> s = 1 \/ s = -1 -> o = o' \/ o = map Ropp o').
  { intros s E [-> | ->]; [left | right]; apply (nth_ext _ _ 0 0); rewrite ?map_length; trivial;
      intros i _; rewrite E, ?nth_opp; ring. }
  destruct (Forall_Exists_dec (fun x => x = 0) (fun x => Req_EM_T x 0) o') as [Z|N].
  - apply (ext 1); [|auto]. intro i. rewrite Rmult_1_l.
    assert (Z' : nth i o' 0 = 0).
    { destruct (le_lt_dec (length o') i); [apply nth_overflow; trivial|].
      rewrite Forall_forall in Z. apply Z, nth_In; trivial. }
    specialize (H i i). rewrite Z' in *. apply Rsqr_0_uniq. unfold Rsqr. lra.
  - apply Exists_exists in N as (x & I & X). apply (In_nth _ _ 0) in I as (m & _ & <-).
    assert (M : nth m o 0 <> 0).
    { intro M. apply X. pose proof (H m m) as HM. rewrite M in HM. apply Rsqr_0_uniq. unfold Rsqr. lra. }
    apply (ext (nth m o 0 / nth m o' 0)).
    + intro i. apply (Rmult_eq_reg_l (nth m o' 0)); trivial.
      transitivity (nth m o 0 * nth i o' 0); [|field; trivial].
      apply (Rmult_eq_reg_l (nth m o 0)); trivial.
      transitivity (nth m o' 0 * (nth m o 0 * nth i o 0)); [ring|]. rewrite H.
      transitivity (nth m o' 0 * nth m o' 0 * nth i o' 0); [ring|]. rewrite <- H. ring.
    + specialize (H m m). set (a := nth m o 0) in *. set (b := nth m o' 0) in *.
      assert (F : (a - b) * (a + b) = 0) by lra. apply Rmult_integral in F as [F|F]; [left | right].
      * replace a with b by lra. field; trivial.
      * replace a with (- b) by lra. field; trivial.
Qed.

(** The symmetrised monomials e_i and o_i o_j separate the orbits of the flip. *)
Theorem symmetrised_quadratics_separate (e o e' o' : list R) :
  length e = length e' -> length o = length o' ->
  (forall i, let phi := fun e _ => nth i e 0 in symmetrised phi e o = symmetrised phi e' o') ->
  (forall i j, let phi := fun _ o => nth i o 0 * nth j o 0 in symmetrised phi e o = symmetrised phi e' o') ->
  e = e' /\ (o = o' \/ o = map Ropp o').
Proof.
  intros Le Lo He Ho. split.
  - apply (nth_ext _ _ 0 0); trivial. intros i _. specialize (He i). unfold symmetrised in He. lra.
  - apply products_determine_up_to_sign; trivial. intros i j. specialize (Ho i j).
    unfold symmetrised in Ho. rewrite !nth_opp in Ho. lra.
Qed.

(** And every symmetrised function is constant on the orbits. *)
Theorem symmetrised_invariant phi e o : symmetrised phi e (map Ropp o) = symmetrised phi e o.
Proof.
  unfold symmetrised. rewrite map_map. replace (map (fun x => - - x) o) with o; [ring|].
  rewrite <- (map_id o) at 1. apply map_ext; intro; ring.
Qed.

(** Absolute values (or squares) of the single components identify different orbits. *)
Theorem componentwise_flip_loses_signs :
  let o := [1; 1] in let o' := [1; -1] in
  map Rabs o = map Rabs o' /\ map Rsqr o = map Rsqr o' /\ o <> o' /\ o <> map Ropp o'.
Proof.
  simpl. repeat split.
  - rewrite (Rabs_left (-1)), Rabs_R1 by lra. do 2 f_equal. lra.
  - unfold Rsqr. do 2 f_equal. ring.
  - intro H. injection H; lra.
  - intro H. injection H; lra.
Qed.

(** Symmetrising the pooled sum is pooling the symmetrised function. *)
Theorem symmetrised_pooling phi (pairs : list (list R * list R)) :
  lsum (fun p => symmetrised phi (fst p) (snd p)) pairs =
  lsum (fun p => phi (fst p) (snd p)) pairs + lsum (fun p => phi (fst p) (map Ropp (snd p))) pairs.
Proof. apply lsum_plus. Qed.

(** ** Dropping the odd features of a pair loses on which side of its plane the neighbours lie *)

Section Reflection.
Context {label : Type}.
Notation atom := (@atom label).
Notation environment := (list atom).

Definition mirror : environment -> environment := map (move reflect_z).

Lemma mirror_involutive X : mirror (mirror X) = X.
Proof.
  unfold mirror. rewrite <- map_move_mul.
  replace (mul reflect_z reflect_z) with identity; [apply map_move_identity|].
  apply mat_eq; app_compute; ring.
Qed.

Lemma mirror_congruent_iff (X Y : environment) : mirror_congruent X Y <-> congruent X (mirror Y).
Proof.
  destruct reflect_z_improper as [O D]. split; intros (M & [OM DM] & P); exists (mul reflect_z M).
  - split; [split; [apply orthogonal_mul; trivial | rewrite mdet_mul, D, DM; ring]|].
    rewrite map_move_mul. apply Permutation_map, P.
  - split; [split; [apply orthogonal_mul; trivial | rewrite mdet_mul, D, DM; ring]|].
    rewrite map_move_mul, P. fold (mirror (mirror Y)). rewrite mirror_involutive. reflexivity.
Qed.

Lemma mirror_congruent_sym (X Y : environment) : mirror_congruent X Y -> mirror_congruent Y X.
Proof.
  intros (M & [O D] & P). exists (transpose M). split.
  - split; [apply orthogonal_transpose, O | rewrite mdet_transpose; exact D].
  - rewrite <- P, map_move_inverse by exact O. reflexivity.
Qed.

(** ** All pairs: completeness up to O(3) *)

Lemma reflect_dot u v : dot (app reflect_z u) (app reflect_z v) = dot u v.
Proof. apply orthogonal_dot, reflect_z_improper. Qed.

Lemma reflect_det u v w : det (app reflect_z u) (app reflect_z v) (app reflect_z w) = - det u v w.
Proof. rewrite det_app, (proj2 reflect_z_improper). ring. Qed.

(** The flipped features of a pair are those of the reflected pair in the reflected environment. *)
Lemma mirror_projections u v (a : atom) :
  projections (app reflect_z u) (app reflect_z v) (move reflect_z a) =
  (fst (projections u v a), (fst (snd (projections u v a)), - snd (snd (projections u v a)))).
Proof. unfold projections, move; simpl. rewrite !reflect_dot, reflect_det. reflexivity. Qed.

Definition covers_up_to_mirror (X Y : environment) :=
  forall a b, In a X -> In b X -> exists a' b', In a' Y /\ In b' Y /\
    (same_pair_data X a b Y a' b' \/
     same_pair_data X a b (mirror Y) (move reflect_z a') (move reflect_z b')).

Lemma covering_up_to_mirror_determines (X Y : environment) :
  covers_up_to_mirror X Y -> covers_up_to_mirror Y X -> congruent X Y \/ mirror_congruent X Y.
Proof.
  intros XY YX. rewrite mirror_congruent_iff.
  destruct (noncollinear_pair_or_line X) as [(a & b & Ia & Ib & C)|LX].
  { destruct (XY a b Ia Ib) as (a' & b' & _ & _ & [(_ & _ & G & P)|(_ & _ & G & P)]);
      destruct (noncollinear_pair_determines X _ _ _ _ _ C G P) as (M & RM & _ & _ & PM);
      [left | right]; exists M; auto. }
  destruct (noncollinear_pair_or_line Y) as [(a & b & Ia & Ib & C)|LY].
  { destruct (YX a b Ia Ib) as (a' & b' & _ & _ & [(_ & _ & G & P)|(_ & _ & G & P)]);
      destruct (noncollinear_pair_determines Y _ _ _ _ _ C G P) as (M & RM & _ & _ & PM).
    - left. apply congruent_sym. exists M; auto.
    - right. apply mirror_congruent_iff, mirror_congruent_sym, mirror_congruent_iff. exists M; auto. }
  (* On a line every det is 0, and a pair and its mirror image have the same data. *)
  assert (line : forall X Y : environment,
    (forall a b, In a Y -> In b Y -> collinear (snd a) (snd b)) -> covers_up_to_mirror X Y -> covers X Y).
  { clear. intros X Y L H a b Ia Ib. destruct (H a b Ia Ib) as (a' & b' & Ia' & Ib' & [D|D]).
    - exists a', b'; auto.
    - exists a', b'. split; [trivial | split; [trivial|]]. destruct D as (D1 & D2 & G & P).
      repeat split; trivial.
      + rewrite G. unfold gram, move; simpl. rewrite !reflect_dot. reflexivity.
      + rewrite P. unfold mirror. rewrite map_map.
        replace (map (fun x => projections (snd (move reflect_z a')) (snd (move reflect_z b')) (move reflect_z x)) Y)
          with (map (projections (snd a') (snd b')) Y); [reflexivity|].
        apply map_ext; intro r. unfold move at 1 2; cbn [snd]. rewrite mirror_projections.
        unfold projections; simpl. unfold det. rewrite (L a' b' Ia' Ib'). do 3 f_equal.
        unfold dot, vzero; simpl; ring. }
  left. apply covering_pairs_determine; apply line; trivial.
Qed.

(** Symmetrised after the nonlinearity: sum over pairs of psi(F) + psi(flipped F), for every polynomial psi. *)
Theorem symmetrised_pooling_complete (label_dec : forall a b : label, {a = b} + {a <> b}) (X Y : environment) :
  (forall psi, pair_polynomial label_dec psi ->
     pooled psi X + pooled psi (mirror X) = pooled psi Y + pooled psi (mirror Y)) ->
  congruent X Y \/ mirror_congruent X Y.
Proof.
  intro H. set (pairs := fun Z : environment => map (pair Z) (list_prod Z Z)).
  assert (cover : forall X Y,
    (forall psi, pair_polynomial label_dec psi ->
       pooled psi X + pooled psi (mirror X) = pooled psi Y + pooled psi (mirror Y)) -> covers_up_to_mirror X Y).
  { clear X Y H. intros X Y H a b Ia Ib.
    destruct (inseparable_partner (pair_polynomial label_dec) (pp_const _) (pp_plus _) (pp_mult _)
                (pairs X ++ pairs (mirror X)) (pairs Y ++ pairs (mirror Y)) (X, (a, b))) as ([Z [a' b']] & I & S).
    - intros psi P. unfold pairs. rewrite !lsum_app, !lsum_map. apply H, P.
    - apply in_or_app. left. apply in_map, in_prod; trivial.
    - apply pair_polynomials_separate in S. apply in_app_or in I as [I|I];
        apply in_map_iff in I as ([c d] & E & I); injection E as <- -> ->; apply in_prod_iff in I as [Ic Id].
      + exists a', b'; auto.
      + apply in_map_iff in Ic as (c & <- & Ic). apply in_map_iff in Id as (d & <- & Id).
        exists c, d; auto. }
  apply covering_up_to_mirror_determines; apply cover; trivial. intros; symmetry; auto.
Qed.
End Reflection.

(** The counter-example: atoms at u = (1,0,0), v = (0,2,0), (1,1,1) and (1,2,1) or (1,2,-1).  Every even feature of
    the pair (u, v), for whatever basis, agrees; no isometry, proper or improper, relates the environments. *)
Definition same_side : list (@atom nat) :=
  [(1%nat, V 1 0 0); (1%nat, V 0 2 0); (1%nat, V 1 1 1); (1%nat, V 1 2 1)].
Definition opposite_sides : list (@atom nat) :=
  [(1%nat, V 1 0 0); (1%nat, V 0 2 0); (1%nat, V 1 1 1); (1%nat, V 1 2 (-1))].

Lemma isometry_preserves_squares M (X Y : list (@atom nat)) :
  orthogonal M -> Permutation (map (move M) X) Y ->
  let squares Z := tsum 2 (fun t => match t with [a; b] => dot (snd a) (snd b) * dot (snd a) (snd b) | _ => 0 end) Z in
  squares X = squares Y.
Proof.
  intros O P squares. unfold squares. rewrite <- (tsum_permutation _ _ _ _ P), tsum_map.
  apply tsum_ext. intros t L _. destruct t as [|a [|b [|c t]]]; try discriminate. simpl.
  rewrite orthogonal_dot; trivial.
Qed.

Theorem dropping_odd_features_loses_sides :
  let u := V 1 0 0 in let v := V 0 2 0 in
  (forall p : nat * (R * R * R) -> R,
     (forall l a b c, p (l, (a, b, - c)) = p (l, (a, b, c))) ->
     lsum (fun r => p (projections u v r)) same_side = lsum (fun r => p (projections u v r)) opposite_sides) /\
  (forall M, orthogonal M -> ~ Permutation (map (move M) same_side) opposite_sides).
Proof.
  intros u v. split.
  - intros p even. simpl. do 3 f_equal. f_equal. unfold projections, u, v; simpl.
    rewrite <- even. f_equal. f_equal. f_equal; [f_equal|]; unfold det, dot, cross; simpl; ring.
  - intros M O P. pose proof (isometry_preserves_squares M _ _ O P) as E.
    unfold tsum, lsum, dot in E; simpl in E. lra.
Qed.

Print Assumptions symmetrised_quadratics_separate.
Print Assumptions symmetrised_invariant.
Print Assumptions symmetrised_pooling.
Print Assumptions componentwise_flip_loses_signs.
Print Assumptions symmetrised_pooling_complete.
Print Assumptions dropping_odd_features_loses_sides.
