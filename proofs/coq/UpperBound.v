(** * An upper bound on nu: how many neighbours must be correlated before the environment is determined

    Let the non-collinear ordered pair (p, q) of neighbours of X have the same species and Gram matrix as m ordered
    pairs of X (itself included).  If 2^(nu-2) > m, the SO(3) correlations of order nu determine X among all
    environments; with O(3) correlations, if 2^(nu-2) > 2 m.  A collinear X is determined for nu >= 2.

    Idea.  Count the isometries g that carry p and q into Z and all atoms of a list [rest] into Z.  For few
    atoms in [rest] this count is a correlation of order 2 + |rest| <= nu, so it is the same for Z = X and
    Z = Y.  The counting step (DeckCounting) carries the equality to longer lists, one atom at a time, since
    at most m rotations carry p and q into Z.  Finally [rest] is the whole of X: the identity is counted for
    Z = X, so some isometry carries X into Y. *)

Require Import Reals Lra List Permutation Arith Lia Bool.
Import ListNotations.
From Symtrip Require Import Space TupleSums Environments CentralTheorem CollinearDecks DeckCounting.
Open Scope R_scope.

Section Bound.
Context {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}).
Notation atom := (@atom label).
Notation environment := (list atom).
Variable improper_too : bool.

Lemma atom_dec (a b : atom) : {a = b} + {a <> b}.
Proof. decide equality; apply vec_eq_dec. Defined.

Definition member (Z : environment) (a : atom) : bool := if in_dec atom_dec a Z then true else false.

Lemma member_true Z a : member Z a = true <-> In a Z.
Proof. unfold member. destruct (in_dec atom_dec a Z); split; congruence || tauto. Qed.

(** Same species and same Gram matrix. *)
Definition similar (p q p' q' : atom) : bool :=
  (if label_dec (fst p) (fst p') then true else false) &&
  (if label_dec (fst q) (fst q') then true else false) &&
  (if Req_EM_T (dot (snd p) (snd p)) (dot (snd p') (snd p')) then true else false) &&
  (if Req_EM_T (dot (snd p) (snd q)) (dot (snd p') (snd q')) then true else false) &&
  (if Req_EM_T (dot (snd q) (snd q)) (dot (snd q') (snd q')) then true else false).

Lemma similar_true p q p' q' :
  similar p q p' q' = true <->
  fst p = fst p' /\ fst q = fst q' /\ gram (snd p) (snd q) = gram (snd p') (snd q').
Proof.
  unfold similar, gram.
  destruct (label_dec (fst p) (fst p')), (label_dec (fst q) (fst q')),
    (Req_EM_T (dot (snd p) (snd p)) (dot (snd p') (snd p'))),
    (Req_EM_T (dot (snd p) (snd q)) (dot (snd p') (snd q'))),
    (Req_EM_T (dot (snd q) (snd q)) (dot (snd q') (snd q'))); simpl;
    split; try discriminate; intuition congruence.
Qed.

(** How often the pair (p, q) occurs in Z. *)
Definition multiplicity (Z : environment) (p q : atom) : nat :=
  length (filter (fun pq => similar p q (fst pq) (snd pq)) (list_prod Z Z)).

(** The isometries that fix the frame of a pair: the identity, and the reflection in its plane. *)
Definition twists : list mat := if improper_too then [identity; reflect_z] else [identity].

Section Pair.
Variables p q : atom.
Hypothesis noncollinear : ~ collinear (snd p) (snd q).

(** The isometry that carries (p, q) to (p', q'), and with it the frame up to a twist. *)
Definition carry (w : mat) (p' q' : atom) : mat :=
  mul (transpose (frame (snd p') (snd q'))) (mul w (frame (snd p) (snd q))).

Definition carriers (Z : environment) : list mat :=
  flat_map (fun pq => map (fun w => carry w (fst pq) (snd pq)) twists)
    (filter (fun pq => similar p q (fst pq) (snd pq)) (list_prod Z Z)).

Definition carried (Z rest : environment) : nat :=
  length (filter (fun g => forallb (fun a => member Z (move g a)) rest) (carriers Z)).

(** ** The count is a correlation of order 2 + |rest| *)

Definition count_carried (rest t : environment) : R :=
  match t with
  | p' :: q' :: t => indicator (similar p q p' q') *
      lsum (fun w => if list_eq_dec atom_dec t (map (move (carry w p' q')) rest) then 1 else 0) twists
  | _ => 0
  end.

Lemma tsum_point (Z u : environment) :
  NoDup Z -> tsum (length u) (fun t => if list_eq_dec atom_dec t u then 1 else 0) Z = indicator (forallb (member Z) u).
Proof.
  intro ND. induction u as [|a u IH]; cbn [tsum length forallb].
  - destruct (list_eq_dec atom_dec [] []); [reflexivity | congruence].
  - rewrite indicator_and, <- IH.
    transitivity (lsum (fun x => tsum (length u) (fun t => if list_eq_dec atom_dec t u then 1 else 0) Z *
                                 (if atom_dec x a then 1 else 0)) Z).
    + apply lsum_ext; intros x _. rewrite Rmult_comm, <- tsum_scal. apply tsum_ext; intros t _ _.
      destruct (list_eq_dec atom_dec (x :: t) (a :: u)) as [E|E],
        (atom_dec x a) as [->|D], (list_eq_dec atom_dec t u) as [->|D']; try ring; congruence.
    + rewrite lsum_scal, <- count_occ_indicator, Rmult_comm. f_equal.
      unfold member. destruct (in_dec atom_dec a Z) as [I|I]; unfold indicator.
      * rewrite (proj1 (NoDup_count_occ' atom_dec Z) ND a I). reflexivity.
      * rewrite (proj1 (count_occ_not_In atom_dec Z a) I). reflexivity.
Qed.

Lemma forallb_map {A B} (f : A -> B) (b : B -> bool) l : forallb b (map f l) = forallb (fun x => b (f x)) l.
Proof. induction l; simpl; trivial. rewrite IHl; trivial. Qed.

Lemma lsum_list_prod {A B} (f : A * B -> R) l m : lsum f (list_prod l m) = lsum (fun x => lsum (fun y => f (x, y)) m) l.
Proof. induction l; simpl; trivial. rewrite lsum_app, lsum_map, IHl; trivial. Qed.

Lemma lsum_filter {A} (b : A -> bool) f l : lsum f (filter b l) = lsum (fun x => indicator (b x) * f x) l.
Proof. induction l; simpl; trivial. destruct (b a); simpl; rewrite IHl; unfold indicator; ring. Qed.

Lemma count_carried_sum Z rest :
  NoDup Z -> tsum (2 + length rest) (count_carried rest) Z = INR (carried Z rest).
Proof.
  intro ND. unfold carried, carriers. rewrite <- lsum_indicator, lsum_flat_map, lsum_filter, lsum_list_prod.
  simpl. apply lsum_ext; intros p' _. apply lsum_ext; intros q' _.
  rewrite tsum_scal, lsum_map, tsum_lsum. f_equal. rewrite lsum_exchange.
  apply lsum_ext; intros w _. rewrite <- tsum_lsum.
  rewrite <- (map_length (move (carry w p' q')) rest), tsum_point, forallb_map by exact ND. reflexivity.
Qed.

Lemma carry_isometry g w p' q' :
  orthogonal g -> carry w (move g p') (move g q') = mul g (carry (mul (handedness (mdet g)) w) p' q').
Proof.
  intro O. unfold carry, move; simpl. rewrite frame_orthogonal by exact O.
  rewrite !transpose_mul, transpose_involutive, !mul_assoc. do 3 f_equal.
Qed.

Lemma similar_isometry g p' q' : orthogonal g -> similar p q (move g p') (move g q') = similar p q p' q'.
Proof. intro O. unfold similar, move; simpl. rewrite !orthogonal_dot by exact O. reflexivity. Qed.

Lemma count_carried_invariant rest : invariant_under improper_too (count_carried rest).
Proof.
  intros g t [O D]. destruct t as [|p' [|q' t]]; trivial. simpl. rewrite similar_isometry by exact O. f_equal.
  assert (E : forall w, (if list_eq_dec atom_dec (map (move g) t) (map (move (carry w (move g p') (move g q'))) rest)
                         then 1 else 0) =
                        (if list_eq_dec atom_dec t (map (move (carry (mul (handedness (mdet g)) w) p' q')) rest)
                         then 1 else 0)).
  { intro w. rewrite carry_isometry, map_move_mul by exact O.
    destruct (list_eq_dec atom_dec (map (move g) t) _) as [E|E], (list_eq_dec atom_dec t _) as [E'|E']; trivial.
    - destruct E'. rewrite <- (map_move_inverse g t O), E. apply map_move_inverse, O.
    - destruct E. rewrite E'. reflexivity. }
  rewrite (lsum_ext _ _ _ (fun w _ => E w)). unfold twists. destruct D as [D|[I D]].
  - assert (Id : forall w, mul (handedness (mdet g)) w = w).
    { intro w. rewrite D. transitivity (mul identity w); [reflexivity | apply mul_identity_l]. }
    apply lsum_ext; intros w _. rewrite Id. reflexivity.
  - rewrite I, D. simpl.
    assert (T1 : mul (handedness (-1)) identity = reflect_z) by apply mul_identity_r.
    assert (T2 : mul (handedness (-1)) reflect_z = identity).
    { unfold handedness, reflect_z, identity. apply mat_eq; app_compute; ring. }
    rewrite T1, T2. ring.
Qed.

(** ** What the carriers are *)

Lemma twist_isometry w : In w twists -> isometry improper_too w.
Proof.
  unfold twists, isometry. destruct rotation_identity as [OI DI]. destruct reflect_z_improper as [OR DR].
  destruct improper_too; simpl; intros [<-|H]; auto; try contradiction.
  destruct H as [<-|[]]; auto.
Qed.

Lemma carrier_isometry Z g : In g (carriers Z) -> isometry improper_too g.
Proof.
  intro I. apply in_flat_map in I as ([p' q'] & I & J). apply filter_In in I as [_ S].
  apply in_map_iff in J as (w & <- & W). apply similar_true in S as (_ & _ & G). simpl in *.
  assert (C : ~ collinear (snd p') (snd q')).
  { intro C. apply noncollinear, collinear_gram. apply collinear_gram in C. injection G as G1 G2 G3. congruence. }
  destruct (rotation_transpose _ (frame_rotation _ _ C)) as [O1 D1].
  destruct (frame_rotation _ _ noncollinear) as [O2 D2]. destruct (twist_isometry w W) as [O3 D3].
  unfold carry. split; [repeat apply orthogonal_mul; trivial|].
  rewrite !mdet_mul, D1, D2. destruct D3 as [->|[-> ->]]; [left; ring | right; split; trivial; ring].
Qed.

Lemma carriers_length Z : length (carriers Z) = (length twists * multiplicity Z p q)%nat.
Proof.
  unfold carriers, multiplicity. induction (filter _ (list_prod Z Z)) as [|pq l IH]; simpl; [lia|].
  rewrite app_length, map_length, IH. lia.
Qed.

Lemma carried_nothing Z : carried Z [] = length (carriers Z).
Proof. unfold carried. simpl. f_equal. induction (carriers Z) as [|g l IH]; simpl; congruence. Qed.

Lemma identity_carries X : In p X -> In q X -> (0 < carried X X)%nat.
Proof.
  intros Ip Iq. unfold carried.
  assert (I : In identity (filter (fun g => forallb (fun a => member X (move g a)) X) (carriers X))).
  { apply filter_In. split.
    - apply in_flat_map. exists (p, q). split.
      + apply filter_In. split; [apply in_prod; trivial|]. apply similar_true. auto.
      + apply in_map_iff. exists identity. split.
        * unfold carry; simpl. rewrite mul_identity_l. apply frame_rotation, noncollinear.
        * unfold twists. destruct improper_too; simpl; auto.
    - apply forallb_forall. intros a Ia. apply member_true. rewrite move_identity. exact Ia. }
  destruct (filter _ _); [contradiction | simpl; lia].
Qed.

(** ** From few atoms to all *)

Section Environments.
Variables (X Y : environment) (nu : nat).
Hypothesis distinct_X : NoDup X.
Hypothesis distinct_Y : NoDup Y.
Hypothesis two_at_least : (2 <= nu)%nat.
Hypothesis correlations : forall n, (n <= nu)%nat -> same_correlations improper_too n X Y.
Hypothesis p_in_X : In p X.
Hypothesis q_in_X : In q X.
Hypothesis rare : (length twists * multiplicity X p q < 2 ^ (nu - 2))%nat.

Lemma carried_few rest : (2 + length rest <= nu)%nat -> carried X rest = carried Y rest.
Proof.
  intro L. apply INR_eq. rewrite <- !count_carried_sum by trivial.
  apply correlations; trivial. apply count_carried_invariant.
Qed.

Lemma carried_all r : forall rest, length rest = r -> carried X rest = carried Y rest.
Proof.
  induction r as [r IH] using lt_wf_ind. intros rest L.
  destruct (le_lt_dec (2 + r) nu) as [F|F]; [apply carried_few; lia|].
  assert (few : (2 ^ (nu - 2) <= 2 ^ Nat.pred r)%nat) by (apply Nat.pow_le_mono_r; lia).
  set (hit := fun (Z : environment) g i => member Z (move g (nth i rest p))).
  assert (place : forall Z places,
    hitting (hit Z) (carriers Z) places = carried Z (map (fun i => nth i rest p) places)).
  { intros Z places. unfold hitting, carried. f_equal. apply filter_ext. intro g.
    rewrite forallb_map. reflexivity. }
  assert (whole : map (fun i => nth i rest p) (seq 0 r) = rest).
  { rewrite <- L. apply (nth_ext _ _ p p); [rewrite map_length, seq_length; trivial|].
    intros i Hi. rewrite map_length, seq_length in Hi.
    rewrite (nth_indep _ p (nth 0 rest p)) by (rewrite map_length, seq_length; exact Hi).
    rewrite (map_nth (fun i => nth i rest p)), seq_nth by exact Hi. reflexivity. }
  rewrite <- whole, <- !place. apply deck_step.
  - lia.
  - intros places _ Lp. rewrite !place. apply (IH (length places)); [exact Lp | apply map_length].
  - rewrite carriers_length. lia.
  - rewrite <- carried_nothing, <- carried_few, carried_nothing, carriers_length by (simpl; lia). lia.
Qed.

Lemma same_length : length X = length Y.
Proof.
  pose proof (correlations 1 ltac:(lia) (fun _ => 1) (fun _ _ _ => eq_refl)) as H.
  simpl in H. rewrite !lsum_const, !Rmult_1_r in H. apply INR_eq, H.
Qed.

Lemma rare_pair_determines : exists g, isometry improper_too g /\ Permutation (map (move g) X) Y.
Proof.
  pose proof (identity_carries X p_in_X q_in_X) as Pos.
  rewrite (carried_all (length X) X eq_refl) in Pos. unfold carried in Pos.
  destruct (filter _ (carriers Y)) as [|g l] eqn:E; [simpl in Pos; lia|].
  assert (I : In g (g :: l)) by (left; reflexivity). rewrite <- E in I. apply filter_In in I as [C I].
  apply carrier_isometry in C. exists g. split; [exact C|].
  apply NoDup_Permutation_bis.
  - apply FinFun.Injective_map_NoDup; trivial. intros [l1 a] [l2 b] H. injection H as <- H1 H2 H3.
    f_equal. apply (orthogonal_injective g); [apply C|]. apply vec_eq; trivial.
  - rewrite map_length, same_length. reflexivity.
  - intros y Iy. apply in_map_iff in Iy as (x & <- & Ix). rewrite forallb_forall in I.
    apply member_true, I, Ix.
Qed.
End Environments.
End Pair.

(** ** Lower orders are contained in higher ones *)

Lemma same_size nu (X Y : environment) :
  (0 < nu)%nat -> same_correlations improper_too nu X Y -> length X = length Y.
Proof.
  intros L H. specialize (H (fun _ => 1) (fun _ _ _ => eq_refl)).
  rewrite !tsum_lsum, !lsum_const, !tuples_length, !Rmult_1_r in H. apply INR_eq in H.
  apply (Nat.pow_inj_l _ _ nu); trivial. lia.
Qed.

Lemma lower_orders nu n (X Y : environment) :
  (n <= nu)%nat -> same_correlations improper_too nu X Y -> same_correlations improper_too n X Y.
Proof.
  intros L H f Hf. destruct (Nat.eq_dec n nu) as [->|N]; [apply H, Hf|].
  pose proof (same_size nu X Y ltac:(lia) H) as S.
  specialize (H (fun t => f (firstn n t))). replace nu with (n + (nu - n))%nat in H by lia.
  rewrite !tsum_firstn, <- S in H. destruct X as [|x X].
  - destruct Y; [reflexivity | discriminate].
  - apply Rmult_eq_reg_l in H; [exact H | |].
    + intros M t HM. rewrite firstn_map. apply Hf, HM.
    + apply not_0_INR, Nat.pow_nonzero. simpl. lia.
Qed.

Lemma on_a_line_seen (X Y : environment) :
  same_correlations improper_too 2 X Y -> on_a_line X -> on_a_line Y.
Proof.
  intros H L. set (f := fun t : environment => match t with
    | [a; b] => if collinear_dec (snd a) (snd b) then 0 else 1 | _ => 0 end).
  assert (Hf : invariant_under improper_too f).
  { intros M [|a [|b [|c t]]] [O _]; trivial. simpl.
    assert (E : collinear (app M (snd a)) (app M (snd b)) <-> collinear (snd a) (snd b)).
    { rewrite !collinear_gram, !orthogonal_dot by exact O. reflexivity. }
    destruct (collinear_dec (app M (snd a)) (app M (snd b))), (collinear_dec (snd a) (snd b)); tauto. }
  specialize (H f Hf). rewrite (tsum_zero 2 f X) in H.
  - intros a b Ia Ib. destruct (collinear_dec (snd a) (snd b)) as [|N]; trivial. exfalso.
    assert (nonneg : forall t, 0 <= f t).
    { intros [|c [|d [|e t]]]; simpl; try lra. destruct (collinear_dec (snd c) (snd d)); lra. }
    assert (Pos : f [a; b] <= tsum 2 f Y).
    { rewrite tsum_lsum. assert (I : In [a; b] (tuples 2 Y)).
      { apply tuples_spec. split; [reflexivity|]. repeat constructor; trivial. }
      apply in_split in I as (l & m & ->). rewrite lsum_app. cbn [lsum].
      pose proof (lsum_nonneg f l (fun t _ => nonneg t)). pose proof (lsum_nonneg f m (fun t _ => nonneg t)). lra. }
    rewrite <- H in Pos. simpl in Pos. destruct (collinear_dec (snd a) (snd b)); [contradiction | lra].
  - intros [|a [|b [|c t]]] Lt F; try discriminate. simpl. inversion F as [|? ? Ia F']; subst.
    inversion F' as [|? ? Ib _]; subst. destruct (collinear_dec (snd a) (snd b)) as [|N]; trivial.
    destruct N. apply L; trivial.
Qed.

(** ** The upper bound *)

Definition rare_pair (nu : nat) (X : environment) :=
  exists p q, In p X /\ In q X /\ ~ collinear (snd p) (snd q) /\
    (length twists * multiplicity X p q < 2 ^ (nu - 2))%nat.

Theorem upper_bound nu (X Y : environment) :
  NoDup X -> NoDup Y -> (2 <= nu)%nat -> on_a_line X \/ rare_pair nu X ->
  same_correlations improper_too nu X Y ->
  exists g, isometry improper_too g /\ Permutation (map (move g) X) Y.
Proof.
  intros NX NY L2 [Line|(p & q & Ip & Iq & C & rare)] H.
  - pose proof (lower_orders nu 1 X Y ltac:(lia) H) as H1.
    pose proof (lower_orders nu 2 X Y L2 H) as H2.
    destruct (collinear_determined_by_pairs label_dec improper_too X Y) as (g & [O D] & P); trivial.
    + apply (on_a_line_seen X); trivial.
    + exists g. split; trivial. split; auto.
  - apply (rare_pair_determines p q C X Y nu); trivial. intros n Ln. apply (lower_orders nu); trivial.
Qed.

(** Every environment of N atoms: nu with 2^(nu-2) > N (N - 1), or twice that for O(3). *)
Lemma multiplicity_bound (X : environment) p q :
  NoDup X -> ~ collinear (snd p) (snd q) -> (multiplicity X p q + length X <= length X * length X)%nat.
Proof.
  intros ND C. unfold multiplicity. set (sim := fun pq : atom * atom => similar p q (fst pq) (snd pq)).
  assert (E : (length (filter sim (list_prod X X)) + length (filter (fun pq => negb (sim pq)) (list_prod X X)) =
               length X * length X)%nat).
  { rewrite <- prod_length. induction (list_prod X X) as [|pq l IH]; trivial. simpl.
    destruct (sim pq); simpl; lia. }
  assert (D : (length X <= length (filter (fun pq => negb (sim pq)) (list_prod X X)))%nat).
  { rewrite <- (map_length (fun a => (a, a)) X). apply NoDup_incl_length.
    - apply FinFun.Injective_map_NoDup; trivial. intros a b H. congruence.
    - intros pq I. apply in_map_iff in I as (a & <- & Ia). apply filter_In. split; [apply in_prod; trivial|].
      unfold sim; simpl. destruct (similar p q a a) eqn:S; trivial. exfalso. apply C, collinear_gram.
      apply similar_true in S as (_ & _ & G). injection G as -> -> ->. reflexivity. }
  lia.
Qed.

Corollary upper_bound_by_size nu (X Y : environment) :
  NoDup X -> NoDup Y -> (2 <= nu)%nat -> (length twists * (length X * (length X - 1)) < 2 ^ (nu - 2))%nat ->
  same_correlations improper_too nu X Y ->
  exists g, isometry improper_too g /\ Permutation (map (move g) X) Y.
Proof.
  intros NX NY L2 L H. apply (upper_bound nu); trivial.
  destruct (noncollinear_pair_or_line X) as [(p & q & Ip & Iq & C)|Line]; [right | left; exact Line].
  exists p, q. repeat (split; trivial). pose proof (multiplicity_bound X p q NX C) as B.
  assert (M : (multiplicity X p q <= length X * (length X - 1))%nat) by (destruct (length X); simpl in *; lia).
  apply (Nat.le_lt_trans _ (length twists * (length X * (length X - 1)))); trivial.
  apply Nat.mul_le_mono_l, M.
Qed.
End Bound.

(** A pair that occurs once: nu = 3 suffices for SO(3), nu = 4 for O(3). *)
Corollary unique_pair_bispectrum {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}) X Y p q :
  NoDup X -> NoDup Y -> In p X -> In q X -> ~ collinear (snd p) (snd q) ->
  multiplicity label_dec X p q = 1%nat -> same_correlations false 3 X Y -> congruent X Y.
Proof.
  intros NX NY Ip Iq C M H.
  destruct (upper_bound label_dec false 3 X Y) as (g & [O D] & P); trivial; [lia | |].
  - right. exists p, q. rewrite M. repeat (split; trivial). simpl. lia.
  - exists g. split; trivial. split; trivial. destruct D as [|[]]; [trivial | discriminate].
Qed.

Print Assumptions upper_bound.
Print Assumptions upper_bound_by_size.
Print Assumptions unique_pair_bispectrum.
