(** * An environment on a line is determined by its correlations of order two

    Idea.  Let x.e be the position of an atom on its line.  For every species and every distance from the
    centre, the sum of x.e over those atoms is the surplus of one direction over the other.  The products of
    two such sums are sums of x.y over pairs of atoms, hence known, and products determine the sums up to one
    common sign (turning the line round).  With the numbers of atoms at each distance this gives the
    number of atoms at each position. *)

Require Import Reals Lra List Permutation Arith Lia Classical.
Import ListNotations.
From Symtrip Require Import Space TupleSums Environments CentralTheorem.
Open Scope R_scope.

(** Products determine a family of reals up to one sign. *)
Lemma family_up_to_sign {I : Type} (d d' : I -> R) :
  (forall i j, d i * d j = d' i * d' j) -> exists s, s * s = 1 /\ forall i, d i = s * d' i.
Proof.
  intro H. destruct (classic (exists m, d' m <> 0)) as [[m M]|Z].
  - exists (d m / d' m). split.
    + transitivity (d m * d m / (d' m * d' m)); [field; trivial|]. rewrite H. field; trivial.
    + intro i. assert (N : d m <> 0).
      { intro E. pose proof (H m m) as Hm. rewrite E in Hm. apply M, Rsqr_0_uniq. unfold Rsqr. lra. }
      apply (Rmult_eq_reg_l (d m)); trivial. rewrite H.
      transitivity (d m * d m / d' m * d' i); [rewrite H; field; trivial | field; trivial].
  - exists 1. split; [ring|]. intro i.
    assert (Z' : d' i = 0) by (apply NNPP; intro N; apply Z; eauto).
    specialize (H i i). rewrite Z' in *. assert (d i = 0) by (apply Rsqr_0_uniq; unfold Rsqr; lra). lra.
Qed.

Section Collinear.
Context {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}).
Notation atom := (@atom label).
Notation environment := (list atom).

Definition on_a_line (X : environment) := forall a b, In a X -> In b X -> collinear (snd a) (snd b).

Lemma line_direction (X : environment) :
  on_a_line X -> exists e, dot e e = 1 /\ forall a, In a X -> collinear e (snd a).
Proof.
  intro L. destruct (nonzero_or_all_zero X) as [(u & Iu & U)|Z].
  - exists (normalize (snd u)). split; [apply normalize_unit, U|]. intros a Ia.
    pose proof (L u a Iu Ia) as C. unfold collinear in *.
    assert (E : cross (normalize (snd u)) (snd a) = scale (/ norm (snd u)) (cross (snd u) (snd a))).
    { unfold normalize. generalize (/ norm (snd u)) (snd u) (snd a). vec_ring. }
    rewrite E, C. unfold scale, vzero; simpl. apply vec_eq; simpl; ring.
  - exists (V 1 0 0). split; [unfold dot; simpl; ring|]. intros a Ia. rewrite (Z a Ia).
    unfold collinear, cross, vzero; simpl. apply vec_eq; simpl; ring.
Qed.

(** 1 for atoms of species l at squared distance b from the centre. *)
Definition shell (i : label * R) (a : atom) : R :=
  (if label_dec (fst a) (fst i) then 1 else 0) * (if Req_EM_T (dot (snd a) (snd a)) (snd i) then 1 else 0).

Lemma shell_invariant M i a : orthogonal M -> shell i (move M a) = shell i a.
Proof. intro O. unfold shell, move; simpl. rewrite orthogonal_dot; trivial. Qed.

Definition surplus (e : vec) (X : environment) (i : label * R) : R :=
  lsum (fun a => shell i a * dot (snd a) e) X.

Lemma position_on_line e x : dot e e = 1 -> collinear e x -> x = scale (dot x e) e.
Proof.
  intros E C. assert (N : e <> vzero).
  { intros ->. unfold dot, vzero in E; simpl in E. lra. }
  rewrite (collinear_position e x N C) at 1. rewrite E. f_equal. field.
Qed.

Lemma dot_on_line e x y : dot e e = 1 -> collinear e x -> collinear e y -> dot x y = dot x e * dot y e.
Proof.
  intros E Cx Cy. rewrite (position_on_line e x E Cx) at 1. rewrite (position_on_line e y E Cy) at 1.
  transitivity (dot x e * dot y e * dot e e); [generalize (dot x e) (dot y e); vec_ring | rewrite E; ring].
Qed.

Lemma surplus_product e X i j :
  dot e e = 1 -> (forall a, In a X -> collinear e (snd a)) ->
  surplus e X i * surplus e X j =
  tsum 2 (fun t => match t with [a; b] => shell i a * shell j b * dot (snd a) (snd b) | _ => 0 end) X.
Proof.
  intros E C. unfold surplus. simpl. rewrite <- Rmult_comm, <- lsum_scal. apply lsum_ext; intros a Ia.
  rewrite Rmult_comm, <- lsum_scal. apply lsum_ext; intros b Ib.
  rewrite (dot_on_line e (snd a) (snd b)) by auto. ring.
Qed.

(** The number of atoms of species l at position c, from shell counts and surpluses. *)
Definition at_position (l : label) (c : R) (p : label * R) : R :=
  (if label_dec (fst p) l then 1 else 0) * (if Req_EM_T (snd p) c then 1 else 0).

Lemma count_at_position e X l c :
  dot e e = 1 -> (forall a, In a X -> collinear e (snd a)) ->
  lsum (fun a => at_position l c (fst a, dot (snd a) e)) X =
  if Req_EM_T c 0 then lsum (shell (l, 0)) X
  else / 2 * (lsum (shell (l, c * c)) X + / c * surplus e X (l, c * c)).
Proof.
  intros E C. assert (S : forall a, In a X -> dot (snd a) (snd a) = dot (snd a) e * dot (snd a) e).
  { intros a Ia. apply dot_on_line; auto. }
  destruct (Req_EM_T c 0) as [->|N].
  - apply lsum_ext; intros a Ia. unfold at_position, shell; simpl. rewrite (S a Ia). f_equal.
    set (x := dot (snd a) e). destruct (Req_EM_T x 0) as [X0|X0], (Req_EM_T (x * x) 0) as [X2|X2]; trivial.
    + destruct X2. rewrite X0; ring.
    + destruct X0. apply Rsqr_0_uniq, X2.
  - unfold surplus. rewrite <- lsum_scal, <- lsum_plus, <- lsum_scal.
    apply lsum_ext; intros a Ia. unfold at_position, shell; simpl. rewrite (S a Ia).
    set (x := dot (snd a) e). destruct (label_dec (fst a) l); [|ring].
    destruct (Req_EM_T (x * x) (c * c)) as [X2|X2].
    + assert (F : (x - c) * (x + c) = 0) by lra. apply Rmult_integral in F as [F|F].
      * replace x with c by lra. destruct (Req_EM_T c c); [field; trivial | congruence].
      * replace x with (- c) by lra. destruct (Req_EM_T (- c) c); [exfalso; lra | field; trivial].
    + destruct (Req_EM_T x c) as [->|]; [congruence | ring].
Qed.

Theorem collinear_determined_by_pairs improper_too (X Y : environment) :
  on_a_line X -> on_a_line Y ->
  same_correlations improper_too 1 X Y -> same_correlations improper_too 2 X Y -> congruent X Y.
Proof.
  intros LX LY H1 H2.
  destruct (line_direction X LX) as (e & E & CX). destruct (line_direction Y LY) as (e' & E' & CY).
  assert (shells : forall i, lsum (shell i) X = lsum (shell i) Y).
  { intro i. apply (H1 (fun t => match t with [a] => shell i a | _ => 0 end)).
    intros M [|a [|b t]] [O _]; trivial. apply shell_invariant, O. }
  assert (products : forall i j, surplus e X i * surplus e X j = surplus e' Y i * surplus e' Y j).
  { intros i j. rewrite !surplus_product by trivial. apply H2.
    intros M [|a [|b [|c t]]] [O _]; trivial. simpl map. cbv beta iota.
    rewrite !shell_invariant by trivial. unfold move; simpl. rewrite orthogonal_dot; trivial. }
  destruct (family_up_to_sign _ _ products) as (s & SS & surpluses).
  set (f := scale s e').
  assert (F : dot f f = 1).
  { transitivity (s * s * dot e' e'); [unfold f; vec_ring | rewrite SS, E'; ring]. }
  assert (CF : forall a, In a Y -> collinear f (snd a)).
  { intros a Ia. pose proof (CY a Ia) as C. unfold collinear in *.
    assert (Q : cross f (snd a) = scale s (cross e' (snd a))).
    { unfold f. generalize (snd a). vec_ring. }
    rewrite Q, C. unfold scale, vzero; simpl. apply vec_eq; simpl; ring. }
  assert (surplus_f : forall i, surplus f Y i = surplus e X i).
  { intro i. rewrite surpluses. unfold surplus. rewrite <- lsum_scal. apply lsum_ext; intros a _.
    unfold f. generalize (snd a) as v; intro v. replace (dot v (scale s e')) with (s * dot v e') by vec_ring. ring. }
  destruct (collinear_environment_determined X Y e f) as (M & RM & _ & P); trivial.
  - intros ->. unfold dot, vzero in E; simpl in E. lra.
  - rewrite E, F. reflexivity.
  - assert (dec : forall p q : label * R, {p = q} + {p <> q}).
    { decide equality; apply Req_EM_T. }
    apply (permutation_of_counts dec). intros [l c]. apply INR_eq. rewrite !count_occ_indicator.
    assert (A : forall p, (if dec p (l, c) then 1 else 0) = at_position l c p).
    { intros [l' c']. unfold at_position; simpl.
      destruct (dec (l', c') (l, c)) as [Q|Q].
      - injection Q as -> ->. destruct (label_dec l l), (Req_EM_T c c); try congruence. ring.
      - destruct (label_dec l' l), (Req_EM_T c' c); try ring. congruence. }
    rewrite !(lsum_ext _ _ _ (fun p _ => A p)), !lsum_map, !count_at_position by trivial.
    destruct (Req_EM_T c 0); rewrite !shells, ?surplus_f; reflexivity.
  - exists M; auto.
Qed.
End Collinear.

Print Assumptions collinear_determined_by_pairs.
