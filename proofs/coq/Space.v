(** * Points of three-dimensional space, rotations, and the frame of a tagged pair

    The vocabulary of every geometric proof in this folder.  A vector is a triple of reals, a matrix is
    three rows, and a rotation is a matrix with R^T R = 1 and det R = 1. *)

Require Import Reals Lra Nsatz List Permutation.
Import ListNotations.
Open Scope R_scope.

Record vec := V { vx : R; vy : R; vz : R }.

Definition vzero := V 0 0 0.
Definition add u v := V (vx u + vx v) (vy u + vy v) (vz u + vz v).
Definition scale a v := V (a * vx v) (a * vy v) (a * vz v).
Definition dot u v := vx u * vx v + vy u * vy v + vz u * vz v.
Definition cross u v :=
  V (vy u * vz v - vz u * vy v) (vz u * vx v - vx u * vz v) (vx u * vy v - vy u * vx v).
Definition det u v w := dot (cross u v) w.

(** A pair is collinear when its two vectors span at most a line through the centre. *)
Definition collinear u v := cross u v = vzero.

Lemma vec_eq u v : vx u = vx v -> vy u = vy v -> vz u = vz v -> u = v.
Proof. destruct u, v; simpl; intros; subst; reflexivity. Qed.

Ltac vec_cases := repeat match goal with u : vec |- _ => destruct u end; simpl in *.
Ltac vec_ring := intros; vec_cases; try apply vec_eq; unfold det, dot, cross, add, scale; simpl; ring.

Lemma vec_eq_dec (u v : vec) : {u = v} + {u <> v}.
Proof. decide equality; apply Req_EM_T. Defined.

Lemma dot_comm u v : dot u v = dot v u.
Proof. vec_ring. Qed.

Lemma dot_nonneg u : 0 <= dot u u.
Proof.
  unfold dot. pose proof (Rle_0_sqr (vx u)). pose proof (Rle_0_sqr (vy u)).
  pose proof (Rle_0_sqr (vz u)). unfold Rsqr in *. lra.
Qed.

Lemma dot_zero u : dot u u = 0 -> u = vzero.
Proof.
  unfold dot; intro H.
  pose proof (Rle_0_sqr (vx u)). pose proof (Rle_0_sqr (vy u)). pose proof (Rle_0_sqr (vz u)).
  unfold Rsqr in *.
  apply vec_eq; simpl; apply Rsqr_0_uniq; unfold Rsqr; lra.
Qed.

Lemma dot_pos u : u <> vzero -> 0 < dot u u.
Proof.
  intro H. destruct (Rle_lt_or_eq_dec _ _ (dot_nonneg u)) as [|E]; trivial.
  destruct H. apply dot_zero; symmetry; exact E.
Qed.

(** Lagrange: |u x v|^2 = |u|^2 |v|^2 - (u.v)^2, so the Gram matrix of a pair decides collinearity. *)
Lemma lagrange u v : dot (cross u v) (cross u v) = dot u u * dot v v - dot u v * dot u v.
Proof. vec_ring. Qed.

Lemma collinear_gram u v : collinear u v <-> dot u u * dot v v = dot u v * dot u v.
Proof.
  split; intro H.
  - pose proof (lagrange u v) as E. unfold collinear in H. rewrite H in E. unfold dot in *; simpl in *; lra.
  - apply dot_zero. rewrite lagrange. lra.
Qed.

Lemma collinear_dec u v : {collinear u v} + {~ collinear u v}.
Proof. apply vec_eq_dec. Defined.

Lemma noncollinear_left u v : ~ collinear u v -> u <> vzero.
Proof. intros H E; apply H; subst; unfold collinear, cross, vzero; simpl; apply vec_eq; simpl; ring. Qed.

Lemma noncollinear_right u v : ~ collinear u v -> v <> vzero.
Proof. intros H E; apply H; subst; unfold collinear, cross, vzero; simpl; apply vec_eq; simpl; ring. Qed.

(** ** Matrices *)

Record mat := Mat { row1 : vec; row2 : vec; row3 : vec }.

Definition app M v := V (dot (row1 M) v) (dot (row2 M) v) (dot (row3 M) v).
Definition transpose M :=
  Mat (V (vx (row1 M)) (vx (row2 M)) (vx (row3 M)))
      (V (vy (row1 M)) (vy (row2 M)) (vy (row3 M)))
      (V (vz (row1 M)) (vz (row2 M)) (vz (row3 M))).
Definition mul M N :=
  Mat (app (transpose N) (row1 M)) (app (transpose N) (row2 M)) (app (transpose N) (row3 M)).
Definition identity := Mat (V 1 0 0) (V 0 1 0) (V 0 0 1).
Definition mdet M := det (row1 M) (row2 M) (row3 M).

Definition orthogonal M := mul (transpose M) M = identity.
Definition rotation M := orthogonal M /\ mdet M = 1.
Definition improper M := orthogonal M /\ mdet M = -1.

Lemma mat_eq M N : row1 M = row1 N -> row2 M = row2 N -> row3 M = row3 N -> M = N.
Proof. destruct M, N; simpl; intros; subst; reflexivity. Qed.

Ltac mat_cases := repeat match goal with M : mat |- _ => destruct M end; vec_cases.
Ltac mat_ring :=
  intros; mat_cases; try apply mat_eq; try apply vec_eq;
  unfold mdet, mul, app, transpose, identity, det, dot, cross, add, scale; simpl; ring.

(** Images of explicit vectors under explicit matrices. *)
Ltac dots := repeat (progress (simpl; try unfold dot)); simpl.
Ltac app_compute := apply vec_eq; dots.

Lemma mat_eq_dec (M N : mat) : {M = N} + {M <> N}.
Proof. decide equality; apply vec_eq_dec. Defined.

Lemma app_mul M N v : app (mul M N) v = app M (app N v).
Proof. mat_ring. Qed.

Lemma app_identity v : app identity v = v.
Proof. mat_ring. Qed.

Lemma mul_identity_l M : mul identity M = M.
Proof. mat_ring. Qed.

Lemma mul_identity_r M : mul M identity = M.
Proof. mat_ring. Qed.

Lemma transpose_mul M N : transpose (mul M N) = mul (transpose N) (transpose M).
Proof. mat_ring. Qed.

Lemma mul_assoc L M N : mul (mul L M) N = mul L (mul M N).
Proof. unfold mul at 1 2 3; simpl. rewrite transpose_mul, !app_mul. reflexivity. Qed.

Lemma transpose_involutive M : transpose (transpose M) = M.
Proof. mat_ring. Qed.

Lemma mdet_mul M N : mdet (mul M N) = mdet M * mdet N.
Proof. mat_ring. Qed.

Lemma mdet_transpose M : mdet (transpose M) = mdet M.
Proof. mat_ring. Qed.

Lemma dot_app_transpose M u v : dot (app M u) v = dot u (app (transpose M) v).
Proof. mat_ring. Qed.

Lemma det_app M u v w : det (app M u) (app M v) (app M w) = mdet M * det u v w.
Proof. mat_ring. Qed.

Lemma app_add M u v : app M (add u v) = add (app M u) (app M v).
Proof. mat_ring. Qed.

Lemma app_scale M a v : app M (scale a v) = scale a (app M v).
Proof. mat_ring. Qed.

Lemma app_zero M : app M vzero = vzero.
Proof. unfold vzero. mat_ring. Qed.

Lemma orthogonal_inverse M v : orthogonal M -> app (transpose M) (app M v) = v.
Proof. intro H. rewrite <- app_mul, H. apply app_identity. Qed.

Lemma orthogonal_dot M u v : orthogonal M -> dot (app M u) (app M v) = dot u v.
Proof. intro H. rewrite dot_app_transpose, orthogonal_inverse; trivial. Qed.

Lemma orthogonal_injective M u v : orthogonal M -> app M u = app M v -> u = v.
Proof. intros H E. rewrite <- (orthogonal_inverse M u), <- (orthogonal_inverse M v), E; trivial. Qed.

Lemma orthogonal_mdet M : orthogonal M -> mdet M * mdet M = 1.
Proof.
  intro H. rewrite <- (mdet_transpose M) at 1. rewrite <- mdet_mul, H.
  unfold mdet, det, dot, cross, identity; simpl; ring.
Qed.

(** A left inverse of a square matrix is a right inverse: through the adjugate. *)
Definition adjugate M :=
  transpose (Mat (cross (row2 M) (row3 M)) (cross (row3 M) (row1 M)) (cross (row1 M) (row2 M))).
Definition mscale a M := Mat (scale a (row1 M)) (scale a (row2 M)) (scale a (row3 M)).

Lemma mul_adjugate M : mul M (adjugate M) = mscale (mdet M) identity.
Proof.
  destruct M as [a b c]. unfold mul, adjugate, mscale, mdet, identity, app. rewrite transpose_involutive.
  apply mat_eq; vec_ring.
Qed.

Lemma mscale_mul_l a M N : mul (mscale a M) N = mscale a (mul M N).
Proof. unfold mul, mscale; simpl. rewrite !app_scale. reflexivity. Qed.

Lemma mscale_mul_r a M N : mul M (mscale a N) = mscale a (mul M N).
Proof.
  assert (E : forall v, app (transpose (mscale a N)) v = scale a (app (transpose N) v)).
  { intro v; destruct N; unfold mscale, app, transpose; vec_ring. }
  unfold mul, mscale at 2; simpl. rewrite !E. reflexivity.
Qed.

Lemma mscale_mscale a b M : mscale a (mscale b M) = mscale (a * b) M.
Proof. destruct M; unfold mscale; apply mat_eq; vec_ring. Qed.

Lemma mscale_1 M : mscale 1 M = M.
Proof. destruct M; unfold mscale; apply mat_eq; vec_ring. Qed.

Lemma orthogonal_transpose M : orthogonal M -> orthogonal (transpose M).
Proof.
  intro H. pose proof (orthogonal_mdet M H) as D. unfold orthogonal in *.
  rewrite transpose_involutive.
  assert (T : mscale (mdet M) (transpose M) = adjugate M).
  { rewrite <- (mul_identity_l (adjugate M)), <- H, mul_assoc, mul_adjugate, mscale_mul_r, mul_identity_r.
    reflexivity. }
  rewrite <- (mscale_1 (mul M (transpose M))), <- D, <- mscale_mscale, <- mscale_mul_r, T, mul_adjugate.
  rewrite mscale_mscale, D. apply mscale_1.
Qed.

Lemma orthogonal_mul M N : orthogonal M -> orthogonal N -> orthogonal (mul M N).
Proof.
  unfold orthogonal; intros HM HN.
  rewrite transpose_mul, mul_assoc, <- (mul_assoc (transpose M)), HM, mul_identity_l; trivial.
Qed.

Lemma rotation_identity : rotation identity.
Proof. split; [unfold orthogonal|]; mat_ring. Qed.

Lemma rotation_mul M N : rotation M -> rotation N -> rotation (mul M N).
Proof.
  intros [OM DM] [ON DN]; split; [apply orthogonal_mul; trivial|].
  rewrite mdet_mul, DM, DN; ring.
Qed.

Lemma rotation_transpose M : rotation M -> rotation (transpose M).
Proof.
  intros [O D]; split; [apply orthogonal_transpose; trivial | rewrite mdet_transpose; trivial].
Qed.

Lemma rotation_transpose_r M v : rotation M -> app M (app (transpose M) v) = v.
Proof.
  intros [O _]. rewrite <- (transpose_involutive M) at 1.
  apply orthogonal_inverse, orthogonal_transpose; trivial.
Qed.

Lemma rotation_det M u v w : rotation M -> det (app M u) (app M v) (app M w) = det u v w.
Proof. intros [_ D]. rewrite det_app, D; ring. Qed.

(** Rotation by [a] about the z axis; half turn about the horizontal axis at azimuth [a / 2];
    reflection in the horizontal plane. *)
Definition rot_z a := Mat (V (cos a) (- sin a) 0) (V (sin a) (cos a) 0) (V 0 0 1).
Definition half_turn a := Mat (V (cos a) (sin a) 0) (V (sin a) (- cos a) 0) (V 0 0 (-1)).
Definition reflect_z := Mat (V 1 0 0) (V 0 1 0) (V 0 0 (-1)).

Lemma cos_sin_unit a : cos a * cos a + sin a * sin a = 1.
Proof. pose proof (sin2_cos2 a) as H; unfold Rsqr in H; lra. Qed.

Ltac orthogonal_by_unit a :=
  pose proof (cos_sin_unit a); split;
  [ unfold orthogonal; apply mat_eq; apply vec_eq;
    unfold mul, app, transpose, identity, dot; simpl; lra
  | unfold mdet, det, dot, cross; simpl; lra ].

Lemma rot_z_rotation a : rotation (rot_z a).
Proof. orthogonal_by_unit a. Qed.

Lemma half_turn_rotation a : rotation (half_turn a).
Proof. orthogonal_by_unit a. Qed.

Lemma reflect_z_improper : improper reflect_z.
Proof. split; [unfold orthogonal; apply mat_eq; apply vec_eq | ]; unfold mul, app, transpose, identity, mdet, det, dot, cross; simpl; ring. Qed.

Lemma improper_mul_rotation M N : improper M -> rotation N -> improper (mul M N).
Proof.
  intros [OM DM] [ON DN]; split; [apply orthogonal_mul; trivial|].
  rewrite mdet_mul, DM, DN; ring.
Qed.

(** ** The frame of a tagged pair: Gram-Schmidt, e1 || u, e2 in the plane of u and v, e3 = e1 x e2 *)

Definition norm u := sqrt (dot u u).
Definition normalize u := scale (/ norm u) u.
Definition rejection u v := add v (scale (- (dot u v / dot u u)) u).
Definition frame u v :=
  let e1 := normalize u in
  let e2 := normalize (rejection u v) in
  Mat e1 e2 (cross e1 e2).

Lemma norm_pos u : u <> vzero -> 0 < norm u.
Proof. intro H. apply sqrt_lt_R0, dot_pos, H. Qed.

Lemma norm_square u : norm u * norm u = dot u u.
Proof. apply sqrt_sqrt, dot_nonneg. Qed.

Lemma normalize_unit u : u <> vzero -> dot (normalize u) (normalize u) = 1.
Proof.
  intro H. pose proof (norm_pos u H). pose proof (norm_square u) as E.
  transitivity (/ norm u * / norm u * dot u u).
  - unfold normalize; generalize (/ norm u); vec_ring.
  - rewrite <- E. field. lra.
Qed.

Lemma rejection_square u v :
  u <> vzero -> dot (rejection u v) (rejection u v) = dot v v - dot u v * dot u v / dot u u.
Proof.
  intro H. pose proof (dot_pos u H) as P.
  transitivity (dot v v + 2 * - (dot u v / dot u u) * dot u v
                + - (dot u v / dot u u) * - (dot u v / dot u u) * dot u u).
  - unfold rejection. generalize (- (dot u v / dot u u)). vec_ring.
  - field. lra.
Qed.

Lemma rejection_nonzero u v : ~ collinear u v -> rejection u v <> vzero.
Proof.
  intros H E. apply H, collinear_gram. pose proof (noncollinear_left _ _ H) as U.
  pose proof (rejection_square u v U) as S. rewrite E in S.
  pose proof (dot_pos u U) as P.
  assert (Z : dot v v - dot u v * dot u v / dot u u = 0) by (rewrite <- S; unfold dot, vzero; simpl; ring).
  replace (dot u v * dot u v) with (dot u v * dot u v / dot u u * dot u u) by (field; lra).
  replace (dot u v * dot u v / dot u u) with (dot v v) by lra. ring.
Qed.

Lemma rejection_orthogonal u v : u <> vzero -> dot u (rejection u v) = 0.
Proof.
  intro H. pose proof (dot_pos u H) as P.
  transitivity (dot u v + - (dot u v / dot u u) * dot u u).
  - unfold rejection. generalize (- (dot u v / dot u u)). vec_ring.
  - field. lra.
Qed.

(** Two orthonormal vectors and their cross product are the rows of a rotation. *)
Lemma orthonormal_pair_rotation a b :
  dot a a = 1 -> dot b b = 1 -> dot a b = 0 -> rotation (Mat a b (cross a b)).
Proof.
  intros Ha Hb Hab.
  assert (C : dot (cross a b) (cross a b) = 1) by (rewrite lagrange, Ha, Hb, Hab; ring).
  assert (Ca : dot a (cross a b) = 0) by vec_ring.
  assert (Cb : dot b (cross a b) = 0) by vec_ring.
  pose proof (dot_comm a b). pose proof (dot_comm a (cross a b)). pose proof (dot_comm b (cross a b)).
  set (E := Mat a b (cross a b)).
  assert (O : orthogonal (transpose E)).
  { unfold orthogonal. rewrite transpose_involutive. unfold mul. rewrite transpose_involutive.
    unfold E, app, identity; simpl. apply mat_eq; apply vec_eq; simpl; lra. }
  split; [|exact C].
  rewrite <- (transpose_involutive E). apply orthogonal_transpose, O.
Qed.

Lemma frame_rotation u v : ~ collinear u v -> rotation (frame u v).
Proof.
  intro H. pose proof (noncollinear_left _ _ H) as U. pose proof (rejection_nonzero _ _ H) as W.
  apply orthonormal_pair_rotation.
  - apply normalize_unit, U.
  - apply normalize_unit, W.
  - transitivity (/ norm u * / norm (rejection u v) * dot u (rejection u v)).
    + unfold normalize. generalize (/ norm u) (/ norm (rejection u v)) (rejection u v). vec_ring.
    + rewrite rejection_orthogonal; trivial; ring.
Qed.

(** The frame coordinates of r are functions of the Gram data of (u, v) and of r.u, r.v, det(u, v, r). *)
Lemma frame_coordinates u v r :
  app (frame u v) r =
  V (/ norm u * dot r u)
    (/ norm (rejection u v) * (dot r v - dot u v / dot u u * dot r u))
    (/ norm u * / norm (rejection u v) * det u v r).
Proof.
  unfold frame, app, normalize, rejection, det; simpl.
  generalize (/ norm (add v (scale (- (dot u v / dot u u)) u))) (/ norm u) (dot u v / dot u u).
  intros; vec_cases; apply vec_eq; unfold dot, cross, add, scale; simpl; ring.
Qed.

(** ** Frames under isometries *)

Lemma cross_orthogonal g u v : orthogonal g -> cross (app g u) (app g v) = scale (mdet g) (app g (cross u v)).
Proof.
  intro O. set (c := cross (app g u) (app g v)).
  assert (test : forall w, dot c w = dot (scale (mdet g) (app g (cross u v))) w).
  { intro w. assert (W : w = app g (app (transpose g) w)).
    { rewrite <- (transpose_involutive g) at 1. symmetry. apply orthogonal_inverse, orthogonal_transpose, O. }
    rewrite W. generalize (app (transpose g) w) as x; intro x.
    transitivity (mdet g * det u v x); [apply det_app|].
    rewrite <- app_scale, orthogonal_dot by exact O. unfold det.
    generalize (mdet g) (cross u v). vec_ring. }
  assert (Z : add c (scale (-1) (scale (mdet g) (app g (cross u v)))) = vzero).
  { apply dot_zero. set (b := scale (mdet g) (app g (cross u v))) in *.
    transitivity (dot c (add c (scale (-1) b)) - dot b (add c (scale (-1) b))).
    - generalize b c; vec_ring.
    - rewrite test. ring. }
  apply vec_eq; [apply (f_equal vx) in Z | apply (f_equal vy) in Z | apply (f_equal vz) in Z];
    unfold add, scale, vzero in *; simpl in *; lra.
Qed.

Definition handedness (s : R) := Mat (V 1 0 0) (V 0 1 0) (V 0 0 s).

Lemma frame_orthogonal g u v :
  orthogonal g -> frame (app g u) (app g v) = mul (handedness (mdet g)) (mul (frame u v) (transpose g)).
Proof.
  intro O.
  assert (N : forall w, normalize (app g w) = app g (normalize w)).
  { intro w. unfold normalize, norm. rewrite orthogonal_dot by exact O. symmetry. apply app_scale. }
  assert (Rej : rejection (app g u) (app g v) = app g (rejection u v)).
  { unfold rejection. rewrite !orthogonal_dot by exact O. rewrite app_add, app_scale. reflexivity. }
  unfold frame. rewrite Rej, !N, cross_orthogonal by exact O.
  generalize (normalize u) (normalize (rejection u v)) (cross (normalize u) (normalize (rejection u v))).
  intros a b c. unfold mul at 2. rewrite transpose_involutive. simpl.
  generalize (app g a) (app g b) (app g c) (mdet g). intros x y z s.
  unfold mul, handedness, transpose, app, scale; simpl. apply mat_eq; app_compute; ring.
Qed.
